import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import type { DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import { EventSink, SinkUnavailable, type Outcome } from '../domain/event-sink.js';
import { asSinkError, databaseFault } from './database-fault.js';
import { inParts, type BatchInParts } from './message-parts.js';
import { tallyOutcomes } from './outcome-tally.js';
import { Partitions, utcDay, type PartitionNeed } from './partitions.js';
import { PrismaService } from './prisma.service.js';
import { planWrites, type Retention, type WritePlan } from './write-plan.js';
import { addCounts, findSeen, insertSeen, writePlan } from './write-rows.js';

/** What the writer needs of the settings. */
export interface WriterSettings {
  readonly replica: string;
  readonly dedupeDays: number;
  readonly retentionReadingsDays?: number | undefined;
  readonly retentionEventsDays?: number | undefined;
}

const DAY_MS = 86_400_000;
/** How often a transaction is tried again because of another writer, or because a partition had to be made. */
export const TRIES = 8;

const NOTHING: ReadonlySet<MessageKey> = new Set();

/**
 * Writes a batch in one transaction, a fixed number of statements whatever its size; what is too much for one goes before it, in
 * parts. Keeps no state between batches.
 */
@Injectable()
export class DeviceEventWriter extends EventSink {
  constructor(
    private readonly prisma: PrismaService,
    private readonly partitions: Partitions,
    @Inject(Settings) private readonly settings: WriterSettings,
  ) {
    super();
  }

  override async write(batch: readonly DecodedMessage[]): Promise<readonly Outcome[]> {
    if (batch.length === 0) return [];
    const { early, last } = inParts(batch);
    const expired = early.length > 0 ? await this.writeEarly(early) : NOTHING;
    return this.retried(last, () => this.writeOnce(last, expired));
  }

  /**
   * Writes what is too much for one transaction, of messages that were not seen before; the event loop has a turn after each part.
   * @returns the keys of messages of which something was older than retention keeps it.
   */
  private async writeEarly(parts: BatchInParts['early']): Promise<ReadonlySet<MessageKey>> {
    const expired = new Set<MessageKey>();
    const messages = new Map(parts.flat().map((message) => [message.key, message]));
    const seen = await this.retried([], () => findSeen(this.prisma, [...messages.values()]));
    for (const part of parts) {
      const news = part.filter(({ key }) => !seen.has(key));
      if (news.length === 0) continue;
      const plan = planWrites(news, this.retention());
      await this.retried(news, () => this.prisma.inTransaction((tx) => writePlan(tx, plan)));
      for (const key of plan.expired) expired.add(key);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return expired;
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

  /** @param expiredBefore keys of messages of which an earlier part was partly too old to be kept */
  private async writeOnce(
    batch: readonly DecodedMessage[],
    expiredBefore: ReadonlySet<MessageKey>,
  ): Promise<readonly Outcome[]> {
    const days = batch.map((message) => this.dayOf(message));
    return this.prisma.inTransaction(async (tx) => {
      const undated = batch.filter((_, index) => days[index]?.own === false);
      const seen = await findSeen(tx, undated);
      const candidates = new Map<string, string>();
      batch.forEach((message, index) => {
        const day = days[index];
        if (day && !seen.has(message.key) && !candidates.has(message.key)) candidates.set(message.key, day.day);
      });
      const fresh = await insertSeen(tx, candidates);
      const { outcomes, news } = sortOut(batch, fresh);
      const plan = planWrites(news, this.retention());
      await writePlan(tx, plan);
      const expired = expiredBefore.size > 0 ? new Set([...expiredBefore, ...plan.expired]) : plan.expired;
      await addCounts(tx, tallyOutcomes(batch, outcomes, expired, this.settings.replica));
      return outcomes;
    });
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

  private retention(): Retention {
    const { retentionReadingsDays: readings, retentionEventsDays: events } = this.settings;
    return {
      readingsFrom: readings === undefined ? null : new Date(Date.now() - readings * DAY_MS),
      eventsFrom: events === undefined ? null : new Date(Date.now() - events * DAY_MS),
    };
  }

  private async makePartitions(batch: readonly DecodedMessage[]): Promise<void> {
    const needs = neededPartitions(planWrites(batch, this.retention()));
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

/** One outcome a message; `news` are the messages whose effects are to be written. */
function sortOut(
  batch: readonly DecodedMessage[],
  fresh: Set<string>,
): { readonly outcomes: readonly Outcome[]; readonly news: readonly DecodedMessage[] } {
  const news: DecodedMessage[] = [];
  const outcomes = batch.map((message): Outcome => {
    if (!fresh.delete(message.key)) return 'duplicate'; // known, or a second time in this batch
    news.push(message);
    return message.refusal ? 'set-aside' : 'stored';
  });
  return { outcomes, news };
}
