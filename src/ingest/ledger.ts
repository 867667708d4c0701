import { Logger } from '@nestjs/common';
import type { Outcome } from '../domain/event-sink.js';
import type { ProcessCounts } from '../domain/ingest-status.js';
import type { Metrics } from '../telemetry/metrics.js';

/** What a transport's messages came to in this process. */
interface Account {
  received: number;
  readonly outcomes: Record<Outcome, number>;
}

/** Messages that have no outcome yet, as the queue and the spool themselves know it. */
export interface Held {
  readonly inHand: number;
  readonly spooled: number;
}

/**
 * Promise 5 for one process: received = stored + duplicate + set aside + spooled + in hand. Each part is counted by somebody
 * else: the transports say what they received, the store what became of it, the queue and the spool what they hold. Whoever
 * loses or doubles a message makes the two sides differ, which is said as an error and by a metric.
 */
export class Ledger {
  private readonly log = new Logger(Ledger.name);
  private readonly accounts = new Map<string, Account>();
  /** In the spool since before this process: received by one that is gone, and in no account until they are settled. */
  private recoveredMessages = 0;
  /** What the metrics were told already. */
  private readonly reported = new Map<string, number>();
  private readonly off = { process: 0, replicas: 0 };

  constructor(private readonly metrics: Metrics | null = null) {
    metrics?.ledgerBroken.set({ scope: 'process' }, 0);
    metrics?.ledgerBroken.set({ scope: 'replicas' }, 0);
  }

  /** A transport heard a message: counted before anybody else knows of it. */
  received(transport: string): void {
    this.account(transport).received += 1;
  }

  /** What a transport heard when nothing is taken any more stays with whoever sent it: it was not received. */
  leftUnanswered(transport: string): void {
    this.account(transport).received -= 1;
  }

  /** An earlier process left messages in the spool. Fewer than none: they are not there after all. */
  recovered(messages: number): void {
    this.recoveredMessages += messages;
  }

  /** The store has committed a message. @param recovered whether it is one that an earlier process left in the spool. */
  settled(transport: string, outcome: Outcome, recovered = false): void {
    const account = this.account(transport);
    account.outcomes[outcome] += 1;
    if (!recovered) return;
    account.received += 1;
    this.recoveredMessages -= 1;
  }

  counts({ inHand, spooled }: Held): ProcessCounts {
    const sum = { received: this.recoveredMessages, stored: 0, duplicate: 0, setAside: 0 };
    for (const { received, outcomes } of this.accounts.values()) {
      sum.received += received;
      sum.stored += outcomes.stored;
      sum.duplicate += outcomes.duplicate;
      sum.setAside += outcomes['set-aside'];
    }
    return { ...sum, spooled, inHand };
  }

  /** Adds up. Called at every batch boundary. */
  check(held: Held): void {
    const counts = this.counts(held);
    const { received, stored, duplicate, setAside, spooled, inHand } = counts;
    this.compare('process', received - stored - duplicate - setAside - spooled - inHand, counts);
  }

  /** The store has added up all replicas and restarts. @param difference received less all outcomes. */
  checkedReplicas(difference: number): void {
    this.compare('replicas', difference);
  }

  /** False while what was received and what became of it differ. */
  get addsUp(): boolean {
    return this.off.process === 0 && this.off.replicas === 0;
  }

  /** Hands over to the metrics what was counted since the last time. */
  report(): void {
    for (const [transport, { received, outcomes }] of this.accounts) {
      for (const [outcome, count] of Object.entries({ received, ...outcomes })) {
        const key = `${transport} ${outcome}`;
        const news = count - (this.reported.get(key) ?? 0);
        if (news === 0) continue;
        this.metrics?.messages.inc({ transport, outcome }, news);
        this.reported.set(key, count);
      }
    }
  }

  private compare(scope: 'process' | 'replicas', difference: number, counts: Partial<ProcessCounts> = {}): void {
    if (difference === this.off[scope]) return;
    this.off[scope] = difference;
    this.metrics?.ledgerBroken.set({ scope }, difference === 0 ? 0 : 1);
    const numbers = { scope, difference, ...counts };
    if (difference === 0) this.log.log({ msg: 'The count of messages adds up again', ...numbers });
    else this.log.error({ msg: 'The count of messages does not add up; this is a fault of ours', ...numbers });
  }

  private account(transport: string): Account {
    let account = this.accounts.get(transport);
    if (!account) {
      account = { received: 0, outcomes: { stored: 0, duplicate: 0, 'set-aside': 0 } };
      this.accounts.set(transport, account);
    }
    return account;
  }
}
