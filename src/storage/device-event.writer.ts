import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import { EventSink, SinkUnavailable, type Outcome } from '../domain/event-sink.js';
import { asSinkError, databaseFault } from './database-fault.js';
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

/** Writes a batch in one transaction, a fixed number of statements whatever its size. Keeps no state between batches. */
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
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.writeOnce(batch);
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

  private async writeOnce(batch: readonly DecodedMessage[]): Promise<readonly Outcome[]> {
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
      await addCounts(tx, tallyOutcomes(batch, outcomes, plan.expired, this.settings.replica));
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
