import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Metrics } from '../telemetry/metrics.js';
import { Ledger } from './ledger.js';

Logger.overrideLogger(false);

const NOTHING = { inHand: 0, spooled: 0 };

async function broken(metrics: Metrics, scope: string): Promise<number | undefined> {
  const { values } = await metrics.ledgerBroken.get();
  return values.find(({ labels }) => labels.scope === scope)?.value;
}

describe('the ledger of a process', () => {
  it('adds up while each message is somewhere', () => {
    const ledger = new Ledger();
    for (let i = 0; i < 6; i++) ledger.received('amqp');
    ledger.settled('amqp', 'stored');
    ledger.settled('amqp', 'duplicate');
    ledger.settled('amqp', 'set-aside');
    ledger.check({ inHand: 2, spooled: 1 });
    expect(ledger.addsUp).toBe(true);
    expect(ledger.counts({ inHand: 2, spooled: 1 })).toEqual({
      received: 6,
      stored: 1,
      duplicate: 1,
      setAside: 1,
      spooled: 1,
      inHand: 2,
    });
  });

  it.each([
    ['lost', -1],
    ['doubled', 1],
  ])('does not when one is %s: the metric is on until it adds up again', async (_, change) => {
    const metrics = new Metrics();
    const ledger = new Ledger(metrics);
    expect(await broken(metrics, 'process')).toBe(0);
    ledger.received('amqp');
    ledger.received('amqp');
    ledger.check({ inHand: 2 + change, spooled: 0 });
    expect(ledger.addsUp).toBe(false);
    expect(await broken(metrics, 'process')).toBe(1);
    ledger.check({ inHand: 2, spooled: 0 });
    expect(ledger.addsUp).toBe(true);
    expect(await broken(metrics, 'process')).toBe(0);
  });

  it('says when the count of all replicas does not', async () => {
    const metrics = new Metrics();
    const ledger = new Ledger(metrics);
    ledger.checkedReplicas(-3);
    expect(ledger.addsUp).toBe(false);
    expect(await broken(metrics, 'replicas')).toBe(1);
    ledger.checkedReplicas(0);
    expect(ledger.addsUp).toBe(true);
  });

  it('counts what an earlier process left as received, by its transport once it is settled', async () => {
    const metrics = new Metrics();
    const ledger = new Ledger(metrics);
    ledger.recovered(2);
    ledger.check({ inHand: 0, spooled: 2 });
    ledger.settled('amqp', 'stored', true);
    ledger.check({ inHand: 0, spooled: 1 });
    ledger.recovered(-1); // it was stored before
    ledger.check(NOTHING);
    expect(ledger.addsUp).toBe(true);
    ledger.report();
    const { values } = await metrics.messages.get();
    expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([
      ['received', 1],
      ['stored', 1],
    ]);
  });

  it('has received nothing that was left unanswered', () => {
    const ledger = new Ledger();
    ledger.received('amqp');
    ledger.leftUnanswered('amqp');
    ledger.check(NOTHING);
    expect(ledger.addsUp).toBe(true);
  });

  it('tells the metrics each message once', async () => {
    const metrics = new Metrics();
    const ledger = new Ledger(metrics);
    ledger.received('amqp');
    ledger.report();
    ledger.report();
    ledger.received('amqp');
    ledger.settled('amqp', 'stored');
    ledger.report();
    const { values } = await metrics.messages.get();
    expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([
      ['received', 2],
      ['stored', 1],
    ]);
  });
});
