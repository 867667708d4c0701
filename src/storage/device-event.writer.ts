import { Inject, Injectable, Optional } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import type { DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import { deviceKeyText } from '../domain/device-key.js';
import { type BatchNote, type BatchTicket, EventSink, SinkUnavailable, type Outcome } from '../domain/event-sink.js';
import { REST, retentionOf, type RetentionSettings } from '../domain/retention.js';
import { Metrics } from '../telemetry/metrics.js';
import { findBatch, noteBatch } from './batch-tickets.js';
import { type ChangeLogSettings, keepsLog } from './changed-rows.js';
import { asSinkError, databaseFault } from './database-fault.js';
import { ErasedFacts } from './erased-facts.js';
import { ErasureKeys } from './erasure-keys.js';
import { inParts, type BatchInParts } from './message-parts.js';
import { isShare, tallyOutcomes } from './outcome-tally.js';
import { ProcessRun } from './process-run.js';
import { Partitions, utcDay, type PartitionNeed } from './partitions.js';
import { PrismaService } from './prisma.service.js';
import { planWrites, type KeptFrom, type SeriesPlan, type WritePlan } from './write-plan.js';
import { addCounts, findSeen, insertSeen, noteSpoolPosition, writePlan } from './write-rows.js';

/** What the writer needs of the settings. */
export interface WriterSettings extends ChangeLogSettings, RetentionSettings {
  readonly replica: string;
  readonly dedupeDays: number;
}

const DAY_MS = 86_400_000;
/** How often a transaction is tried again because of another writer, or because a partition had to be made. */
export const TRIES = 8;

/** What the parts of messages that were written first came to, by the keys of the messages. */
interface EarlyFindings {
  /** Something in them was older than retention keeps it. */
  readonly expired: ReadonlySet<MessageKey>;
  /** Some value in them became the current one. */
  readonly current: ReadonlySet<MessageKey>;
}

const NOTHING: EarlyFindings = { expired: new Set(), current: new Set() };

/**
 * Writes a batch in one transaction, a fixed number of statements whatever its size; what is too much for one goes before it, in
 * parts. Keeps no state between batches.
 */
@Injectable()
export class DeviceEventWriter extends EventSink {
  private readonly retention: ReturnType<typeof retentionOf>;

  constructor(
    private readonly prisma: PrismaService,
    private readonly partitions: Partitions,
    @Inject(Settings) private readonly settings: WriterSettings,
    @Optional() private readonly run: ProcessRun = new ProcessRun(),
    @Optional() private readonly metrics?: Metrics,
    @Optional() private readonly erased: ErasedFacts = new ErasedFacts(new ErasureKeys({})),
  ) {
    super();
    this.retention = retentionOf(settings);
  }

  override async write(batch: readonly DecodedMessage[], note?: BatchNote): Promise<readonly Outcome[]> {
    if (batch.length === 0) return [];
    const written = note?.ticket?.again ? await this.writtenBefore(note.ticket) : null;
    if (written !== null) return written;
    const { early, last } = inParts(batch);
    const findings = early.length > 0 ? await this.writeEarly(early) : NOTHING;
    return this.retried(last, () => this.writeOnce(last, findings, note));
  }

  /** A try before this one may have been committed without our hearing of it. */
  private async writtenBefore(ticket: BatchTicket): Promise<readonly Outcome[] | null> {
    return this.retried([], () => this.prisma.inTransaction((tx) => findBatch(tx, this.run.id, ticket)));
  }

  /** Writes what is too much for one transaction, of messages that were not seen before; the event loop has a turn after each part. */
  private async writeEarly(parts: BatchInParts['early']): Promise<EarlyFindings> {
    const expired = new Set<MessageKey>();
    const current = new Set<MessageKey>();
    const messages = new Map(parts.flat().map((message) => [message.key, message]));
    const seen = await this.retried([], () => findSeen(this.prisma, [...messages.values()]));
    for (const part of parts) {
      const news = part.filter(({ key }) => !seen.has(key));
      if (news.length === 0) continue;
      const plan = planWrites(news, this.keptFrom());
      const lateSeries = await this.retried(news, () =>
        this.prisma.inTransaction(async (tx) =>
          writePlan(tx, await this.erased.leftOut(tx, plan), keepsLog(this.settings)),
        ),
      );
      const late = lateMessages(news, lateSeries);
      for (const { key } of news) if (!late.has(key)) current.add(key);
      for (const key of plan.expired) expired.add(key);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { expired, current };
  }

  /** Does a transaction again when another writer was in its way, or when a partition for these messages was missing. */
  private async retried<T>(batch: readonly DecodedMessage[], transaction: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await transaction();
      } catch (error) {
        const fault = databaseFault(error);
        if (attempt < TRIES && fault === 'conflict') continue;
        if (attempt < TRIES && fault === 'missing-partition') {
          await this.makePartitions(batch);
          continue;
        }
        throw asSinkError(error);
      }
    }
  }

  /** @param early what earlier parts of these messages came to */
  private async writeOnce(
    batch: readonly DecodedMessage[],
    early: EarlyFindings,
    note: BatchNote | undefined,
  ): Promise<readonly Outcome[]> {
    const { replica } = this.settings;
    const days = batch.map((message) => this.dayOf(message));
    const { outcomes, counts } = await this.prisma.inTransaction(async (tx) => {
      const undated = batch.filter((_, index) => days[index]?.own === false);
      const seen = await findSeen(tx, undated);
      const candidates = new Map<string, string>();
      batch.forEach((message, index) => {
        const day = days[index];
        if (day && !seen.has(message.key) && !candidates.has(message.key)) candidates.set(message.key, day.day);
      });
      const fresh = await insertSeen(tx, candidates);
      // The keys of a try that was still being committed a moment ago were waited for just now.
      const written = note?.ticket?.again ? await findBatch(tx, this.run.id, note.ticket) : null;
      if (written !== null) return { outcomes: written, counts: [] };
      const { news, reusedIds, ...sorted } = sortOut(batch, fresh);
      const plan = planWrites(news, this.keptFrom());
      const lateSeries = await writePlan(tx, await this.erased.leftOut(tx, plan), keepsLog(this.settings));
      if (note?.spooledUpTo) await noteSpoolPosition(tx, note.spooledUpTo, replica);
      const late = without(lateMessages(news, lateSeries), early.current);
      const expired = early.expired.size > 0 ? new Set([...early.expired, ...plan.expired]) : plan.expired;
      const tally = tallyOutcomes(batch, sorted.outcomes, { late, expired, reusedIds }, note);
      if (note?.ticket) await noteBatch(tx, this.run.id, note.ticket, sorted.outcomes);
      await addCounts(tx, tally, replica);
      return { outcomes: sorted.outcomes, counts: tally };
    });
    for (const { transport, outcome, count } of counts) {
      if (isShare(outcome)) this.metrics?.shares.inc({ transport, share: outcome }, count);
    }
    return outcomes;
  }

  /**
   * The day whose partition holds the message's key: the message's own, so that a redelivery looks in the same place. A
   * message without one, or with one that no partition is kept for, gets the day of its receipt, and all days are searched.
   */
  private dayOf(message: DecodedMessage): { readonly day: string; readonly own: boolean } {
    const received = message.raw.receivedAt.getTime();
    const sent = message.sentAt?.getTime();
    const own =
      sent !== undefined && sent <= received + 2 * DAY_MS && sent >= received - (this.settings.dedupeDays - 1) * DAY_MS;
    return { day: utcDay(own ? sent : received), own };
  }

  private keptFrom(): KeptFrom {
    const { readings, events } = this.retention;
    const now = new Date();
    const of = (product: string): KeptFrom => ({
      readingsFrom: readings.keptFrom(product, now),
      eventsFrom: events.keptFrom(product, now),
    });
    const products = new Set([...readings.products.keys(), ...events.products.keys()]);
    return { ...of(REST), products: new Map([...products].map((product) => [product, of(product)])) };
  }

  private async makePartitions(batch: readonly DecodedMessage[]): Promise<void> {
    const needs = neededPartitions(planWrites(batch, this.keptFrom()));
    for (const message of batch) needs.push({ table: 'SeenMessage', day: this.dayOf(message).day });
    try {
      await this.partitions.add(needs);
    } catch (error) {
      throw new SinkUnavailable('a partition could not be made', { cause: error });
    }
  }
}

/** The partitions that the rows of a plan go to. */
export function neededPartitions(plan: WritePlan): PartitionNeed[] {
  const needs: PartitionNeed[] = plan.events.map(({ at }) => ({ table: 'EventLog', day: utcDay(at.getTime()) }));
  for (const { readings } of plan.series) {
    for (const at of readings.keys()) needs.push({ table: 'PropertyReading', day: utcDay(at) });
  }
  return needs;
}

interface SortedOut {
  /** One a message. */
  readonly outcomes: readonly Outcome[];
  /** The messages whose effects are to be written. */
  readonly news: readonly DecodedMessage[];
  /** Of these, the ones whose id another message had. */
  readonly reusedIds: ReadonlySet<MessageKey>;
}

/** @param fresh keys never seen before, each with whether its id was. */
function sortOut(batch: readonly DecodedMessage[], fresh: Map<MessageKey, boolean>): SortedOut {
  const news: DecodedMessage[] = [];
  const reusedIds = new Set<MessageKey>();
  const outcomes = batch.map((message): Outcome => {
    const reused = fresh.get(message.key);
    if (!fresh.delete(message.key)) return 'duplicate'; // known, or a second time in this batch
    if (reused === true && message.raw.messageId !== null) reusedIds.add(message.key);
    news.push(message);
    return message.refusal ? 'set-aside' : 'stored';
  });
  return { outcomes, news, reusedIds };
}

function without(keys: ReadonlySet<MessageKey>, others: ReadonlySet<MessageKey>): ReadonlySet<MessageKey> {
  return others.size === 0 ? keys : new Set([...keys].filter((key) => !others.has(key)));
}

/** The messages that tell values, but none that is not older than what was there: history only. */
function lateMessages(news: readonly DecodedMessage[], lateSeries: ReadonlySet<SeriesPlan>): Set<MessageKey> {
  const late = new Set<MessageKey>();
  if (lateSeries.size === 0) return late;
  const texts = new Set([...lateSeries].map(({ device, identifier }) => `${deviceKeyText(device)}\0${identifier}`));
  for (const { key, events } of news) {
    const told = events.flatMap((event) => (event.kind === 'properties-reported' ? [event] : []));
    const isLate = told.every(({ device, readings }) =>
      readings.every(({ identifier }) => texts.has(`${deviceKeyText(device)}\0${identifier}`)),
    );
    if (isLate && told.some(({ readings }) => readings.length > 0)) late.add(key);
  }
  return late;
}
