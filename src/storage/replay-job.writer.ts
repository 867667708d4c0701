import { randomUUID } from 'node:crypto';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { ReplayCounts } from '../domain/replay.js';
import { type DecodeAgain, ReplayJobs, type ReplayStep } from '../domain/replay-jobs.js';
import { EVERY_SET_ASIDE, type SetAsideFilter } from '../domain/set-aside-filter.js';
import { REPLAY_LOCK } from './advisory-locks.js';
import { type ChangeLogSettings, keepsLog } from './changed-rows.js';
import { asSinkError, databaseFault } from './database-fault.js';
import { neededPartitions, TRIES } from './device-event.writer.js';
import { ErasedFacts } from './erased-facts.js';
import { ErasureKeys } from './erasure-keys.js';
import { Partitions } from './partitions.js';
import { UNHURRIED } from './patience.js';
import { PrismaService, type Transaction } from './prisma.service.js';
import { instant, type Instant, Parameters } from './read-columns.js';
import { beside, type Condition, conditionsOf, type SetAsidePlace, timesOf, where } from './set-aside-conditions.js';
import { rawMessageOf } from './set-aside-row.js';
import { replayPlan } from './set-aside.writer.js';
import type { WritePlan } from './write-plan.js';
import { markReplayed, writePlan } from './write-rows.js';

/** A step takes no further message once it has so many bytes. */
const STEP_BYTES = 4 * 1024 * 1024;

interface Job {
  readonly id: string;
  readonly filter: string;
  readonly requestedAt: Instant;
  readonly doneAt: Instant | null;
  readonly doneId: string | null;
  readonly lastAt: Instant | null;
  readonly lastId: string | null;
}

interface Row {
  readonly id: string;
  readonly at: Instant;
  readonly replayed: boolean;
  readonly transport: string;
  readonly properties: string;
  readonly body: Uint8Array;
  readonly receivedAt: Date;
}

/** Keeps the replays of many messages in a table, and does their steps. */
@Injectable()
export class ReplayJobWriter extends ReplayJobs {
  constructor(
    private readonly prisma: PrismaService,
    private readonly partitions: Partitions,
    @Optional() @Inject(Settings) private readonly settings: ChangeLogSettings = {},
    @Optional() private readonly erased: ErasedFacts = new ErasedFacts(new ErasureKeys({})),
  ) {
    super();
  }

  override async add(given: SetAsideFilter): Promise<string> {
    const filter = { ...given, replayed: given.replayed ?? false };
    const id = randomUUID();
    const parameters = new Parameters();
    const values = [parameters.add(id, 'uuid'), parameters.add(JSON.stringify(filter), 'text')].join(', ');
    const conditions = where(parameters, ...conditionsOf(filter), ...timesOf(filter));
    try {
      await this.unhurried(
        `INSERT INTO "SetAsideReplay" ("id", "filter", "state", "requestedAt", "finishedAt", "total", "lastAt", "lastId")
         SELECT ${values}, CASE WHEN l."id" IS NULL THEN 'done' ELSE 'waiting' END, now(),
           CASE WHEN l."id" IS NULL THEN now() END, c."total", l."receivedAt", l."id"
         FROM (SELECT count(*)::int AS "total" FROM "SetAsideMessage" m WHERE ${conditions}) c
         LEFT JOIN (SELECT m."receivedAt", m."id" FROM "SetAsideMessage" m WHERE ${conditions}
                    ORDER BY m."receivedAt" DESC, m."id" DESC LIMIT 1) l ON TRUE`,
        ...parameters.values,
      );
    } catch (error) {
      throw asSinkError(error);
    }
    return id;
  }

  override async cancel(id: string): Promise<boolean> {
    try {
      // waits for the step under way, which holds the row
      const ended = await this.unhurried(
        `UPDATE "SetAsideReplay" SET "state" = 'cancelled', "finishedAt" = now() WHERE "id" = $1::uuid AND "finishedAt" IS NULL`,
        id,
      );
      return ended > 0 || (await this.prisma.setAsideReplay.count({ where: { id } })) > 0;
    } catch (error) {
      throw asSinkError(error);
    }
  }

  override async advance(decode: DecodeAgain, limit: number): Promise<ReplayStep> {
    let plan: WritePlan | null = null;
    const planned = (messages: readonly DecodedMessage[]): WritePlan => (plan = replayPlan(messages));
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.prisma.inTransaction(
          (tx) => step(tx, decode, planned, limit, keepsLog(this.settings), this.erased),
          UNHURRIED,
        );
      } catch (error) {
        const fault = databaseFault(error);
        if (attempt < TRIES && fault === 'conflict') continue;
        if (attempt < TRIES && fault === 'missing-partition' && plan !== null) {
          await this.partitions.add(neededPartitions(plan));
          continue;
        }
        throw asSinkError(error);
      }
    }
  }

  private unhurried(sql: string, ...values: readonly unknown[]): Promise<number> {
    return this.prisma.inTransaction((tx) => tx.$executeRawUnsafe(sql, ...values), UNHURRIED);
  }
}

async function step(
  tx: Transaction,
  decode: DecodeAgain,
  planned: (messages: readonly DecodedMessage[]) => WritePlan,
  limit: number,
  logged: boolean,
  erased: ErasedFacts,
): Promise<ReplayStep> {
  const [lock] = await tx.$queryRawUnsafe<{ held: boolean }[]>(
    `SELECT pg_try_advisory_xact_lock(${REPLAY_LOCK}) AS "held"`,
  );
  if (lock?.held !== true) return { state: 'busy' };
  const [job] = await tx.$queryRawUnsafe<Job[]>(OLDEST_JOB);
  if (job === undefined) return { state: 'idle' };
  const rows = await nextMessages(tx, job, limit);
  const { replayed: again } = filterOf(job);
  const fresh = rows.filter(({ replayed }) => again === true || !replayed);
  const messages: DecodedMessage[] = [];
  for (const row of fresh) {
    const id = row.id.replaceAll('-', '');
    const message = await decode(id, rawMessageOf(row));
    if (message !== null) messages.push({ ...message, key: id });
  }
  await writePlan(tx, await erased.leftOut(tx, planned(messages)), logged);
  await markReplayed(tx, messages);
  const stored = messages.filter(({ refusal }) => refusal === null).length;
  const counts: ReplayCounts = {
    stored,
    duplicate: rows.length - fresh.length,
    stillRefused: messages.length - stored,
    failed: fresh.length - messages.length,
  };
  const last = rows.at(-1);
  const finished = last === undefined || last.id === job.lastId;
  await tx.$executeRawUnsafe(
    NOTE_STEP,
    job.id,
    counts.stored,
    counts.duplicate,
    counts.stillRefused,
    counts.failed,
    last?.at ?? null,
    last?.id ?? null,
    finished,
  );
  return { state: 'stepped', id: job.id, counts, finished };
}

/** The next messages of a replay, locked. Those that another replay made events of meanwhile are among them. */
async function nextMessages(tx: Transaction, job: Job, limit: number): Promise<readonly Row[]> {
  const filter = filterOf(job);
  const parameters = new Parameters();
  const conditions = where(
    parameters,
    ...conditionsOf({ ...filter, replayed: undefined }),
    filter.replayed === true ? () => `m."replayedAt" IS NOT NULL` : asideWhenAsked(job),
    ...timesOf(filter),
    ...placed('>', job.doneAt, job.doneId),
    ...placed('<=', job.lastAt, job.lastId),
  );
  return tx.$queryRawUnsafe<Row[]>(
    `SELECT m."id"::text AS "id", ${instant('m."receivedAt"')} AS "at", m."replayedAt" IS NOT NULL AS "replayed",
       m."transport", m."properties", m."body", m."receivedAt"
     FROM (
       SELECT n."id", sum(n."bytes") OVER (ORDER BY n."receivedAt", n."id") - n."bytes" AS "before" FROM (
         SELECT m."id", m."receivedAt", octet_length(m."body") AS "bytes" FROM "SetAsideMessage" m
         WHERE ${conditions} ORDER BY m."receivedAt", m."id" LIMIT ${parameters.add(limit, 'int')}) n
     ) w
     JOIN "SetAsideMessage" m ON m."id" = w."id" AND w."before" < ${STEP_BYTES}
     ORDER BY m."receivedAt", m."id" FOR UPDATE OF m`,
    ...parameters.values,
  );
}

function asideWhenAsked({ requestedAt }: Job): Condition {
  return (parameters) => `(m."replayedAt" IS NULL OR m."replayedAt" >= ${parameters.add(requestedAt, 'timestamptz')})`;
}

function placed(operator: '>' | '<=', at: Instant | null, id: string | null): Condition[] {
  return at === null || id === null ? [] : [beside(operator, [at, id] satisfies SetAsidePlace)];
}

function filterOf({ filter }: Pick<Job, 'filter'>): SetAsideFilter {
  const { from, to, ...rest } = JSON.parse(filter) as Omit<SetAsideFilter, 'from' | 'to'> &
    Record<'from' | 'to', string | null>;
  return {
    ...EVERY_SET_ASIDE,
    ...rest,
    from: from === null ? null : new Date(from),
    to: to === null ? null : new Date(to),
  };
}

const OLDEST_JOB = `
SELECT "id"::text AS "id", "filter", ${instant('"requestedAt"')} AS "requestedAt", ${instant('"doneAt"')} AS "doneAt",
  "doneId"::text AS "doneId", ${instant('"lastAt"')} AS "lastAt", "lastId"::text AS "lastId"
FROM "SetAsideReplay" WHERE "finishedAt" IS NULL ORDER BY "requestedAt", "id" LIMIT 1 FOR UPDATE`;

/** $1 id, $2 to $5 counts, $6 and $7 the place of the last message done, if any, $8 whether it was the last of all. */
const NOTE_STEP = `
UPDATE "SetAsideReplay" SET
  "state" = CASE WHEN $8::bool THEN 'done' ELSE 'running' END,
  "startedAt" = coalesce("startedAt", now()),
  "finishedAt" = CASE WHEN $8::bool THEN now() END,
  "stored" = "stored" + $2::int,
  "duplicate" = "duplicate" + $3::int,
  "stillRefused" = "stillRefused" + $4::int,
  "failed" = "failed" + $5::int,
  "doneAt" = coalesce($6::timestamptz, "doneAt"),
  "doneId" = coalesce($7::uuid, "doneId")
WHERE "id" = $1::uuid`;
