import { describe, expect, it } from '@jest/globals';
import { auditLedger, auditReplica, sumLedger } from './ledger.mjs';

const rows = (counts: Record<string, number>): { outcome: string; count: string }[] =>
  Object.entries(counts).map(([outcome, count]) => ({ outcome, count: String(count) }));

describe('the ledger over all replicas', () => {
  it('sums what was set aside for any reason, and knows shares from outcomes', () => {
    const counts = {
      received: 10,
      stored: 5,
      duplicate: 2,
      'set-aside:not-json': 2,
      'set-aside:unknown-topic': 1,
      late: 4,
    };
    const ledger = sumLedger(rows(counts));
    expect(ledger).toEqual({ received: 10, stored: 5, duplicate: 2, setAside: 3, shares: { late: 4 } });
    expect(auditLedger(ledger, 8)).toEqual([]);
  });

  it('names what does not add up', () => {
    const ledger = sumLedger(rows({ received: 10, stored: 5, duplicate: 2, 'set-aside': 1 }));
    expect(auditLedger(ledger, 7)).toEqual([
      'received 10 is not stored 5 + duplicate 2 + set aside 1 = 8',
      'stored 5 + set aside 1 = 6, but 7 messages were made',
    ]);
  });
});

describe('what a replica says of itself', () => {
  const answer = { received: 10, stored: 5, duplicate: 1, setAside: 1, inHand: 2, spooled: 1, addsUp: true };

  it('adds up with what it has in hand and in its spool', () => {
    expect(auditReplica('a', answer)).toEqual([]);
  });

  it.each([
    [{ ...answer, spooled: 0 }, 'a: received 10 is not'],
    [{ ...answer, addsUp: false }, 'a says itself that its count does not add up'],
    [undefined, 'a does not answer GET /v1/ingest'],
  ])('is a problem otherwise: %j', (said, problem) => {
    expect(auditReplica('a', said)).toEqual([expect.stringContaining(problem)]);
  });
});
