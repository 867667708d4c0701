import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SinkUnavailable } from '../domain/event-sink.js';
import { ERASURE_LOCK, ERASURE_STEP_LOCK } from './advisory-locks.js';
import { asSinkError, sqlState } from './database-fault.js';
import { PARKED_DAYS } from './erased-unbindings.js';
import { type ErasureKey, ErasureKeys } from './erasure-keys.js';
import {
  eraseBindings,
  eraseEvents,
  type ErasureJob,
  eraseReplays,
  eraseSetAside,
  type Phase,
} from './erasure-phases.js';
import { type Patience, UNHURRIED } from './patience.js';
import { PrismaService, type Transaction } from './prisma.service.js';
import { instant, Parameters } from './read-columns.js';
import { ofUser, type UserReference } from './user-windows.js';

/**
 * Writers queue behind whoever waits for the lock that they share: so nobody waits for it long, and rather tries again once they
 * had their turn.
 */
const BRIEF: Patience = { statementMs: 8_000, lockMs: 1_000, transactionMs: 15_000 };
const TRIES = 20;

/** What a step of an erasure came to: `idle` when there is nothing left to do, `busy` when another replica is at it. */
export type ErasureStep = 'stepped' | 'idle' | 'busy';

/** Erases users: takes the requests, and does their steps. */
@Injectable()
export class ErasureWriter {
  constructor(
    private readonly prisma: PrismaService,
    private readonly keys: ErasureKeys,
  ) {}

  /**
   * From its return on nothing that was known of the user until now can be written again, by any replica; what is written already
   * goes step by step.
   * @returns the id of the erasure.
   * @throws SinkUnavailable
   */
  async add(user: UserReference): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.prisma.inTransaction((tx) => this.buryIn(tx, user), BRIEF);
      } catch (error) {
        if (error instanceof SinkUnavailable) throw error;
        if (sqlState(error) === LOCK_NOT_AVAILABLE && attempt < TRIES) continue;
        throw asSinkError(error);
      }
    }
  }

  /** Does the next step of the oldest erasure that has something left to do. */
  async advance(): Promise<ErasureStep> {
    try {
      return await this.prisma.inTransaction(step, UNHURRIED);
    } catch (error) {
      throw asSinkError(error);
    }
  }

  private async buryIn(tx: Transaction, user: UserReference): Promise<string> {
    await tx.$queryRawUnsafe(`SELECT pg_advisory_xact_lock(${ERASURE_LOCK})::text`);
    const key = await this.keys.current(tx);
    const erasedAt = await lastFactOf(tx, user);
    await bury(tx, key, user, erasedAt);
    const id = randomUUID();
    await tx.$executeRawUnsafe(
      `INSERT INTO "Erasure" ("id", "hash", "key", "subject", "state", "phase", "requestedAt")
       VALUES ($1::uuid, $2::text, $3::text, $4::text, 'waiting', 'bindings', clock_timestamp())`,
      id,
      key.hashOf(user),
      key.id,
      JSON.stringify({
        ...user,
        identity: key.hash('identity', user.identityId),
        erasedAt,
      } satisfies ErasureJob['subject']),
    );
    return id;
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

/** Facts up to when are erased: all that happened, and those of a device whose clock is ahead. */
async function lastFactOf(tx: Transaction, user: UserReference): Promise<string> {
  const parameters = new Parameters();
  const conditions = ofUser(parameters, user).join(' AND ');
  const [row] = await tx.$queryRawUnsafe<{ at: string }[]>(
    `SELECT ${instant('GREATEST(clock_timestamp(), max(b."at"))')} AS "at" FROM "UserBinding" b WHERE ${conditions}`,
    ...parameters.values,
  );
  if (!row) throw new Error('a row that the database must have answered is missing');
  return row.at;
}

async function bury(tx: Transaction, key: ErasureKey, user: UserReference, erasedAt: string): Promise<void> {
  const { identityId, scopeId, tenantId } = user;
  const words = [identityId, scopeId, tenantId].filter((word) => word !== undefined);
  await tx.$executeRawUnsafe(
    `INSERT INTO "ErasedIdentity" AS e ("hash", "key", "identity", "scope", "tenant", "erasedAt")
     VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text::timestamptz)
     ON CONFLICT ("hash") DO UPDATE SET "erasedAt" = GREATEST(e."erasedAt", excluded."erasedAt")`,
    key.hashOf(user),
    key.id,
    key.hash('identity', identityId),
    scopeId === undefined ? null : key.hash('scope', scopeId),
    tenantId === undefined ? null : key.hash('tenant', tenantId),
    erasedAt,
  );
  await tx.$executeRawUnsafe(
    `UPDATE "ErasureKey" SET "lengths" = ARRAY(SELECT DISTINCT unnest("lengths" || $2::text::int4[]) ORDER BY 1) WHERE "id" = $1::text`,
    key.id,
    `{${words.map(({ length }) => length).join(',')}}`,
  );
}

async function step(tx: Transaction): Promise<ErasureStep> {
  const [lock] = await tx.$queryRawUnsafe<{ held: boolean }[]>(
    `SELECT pg_try_advisory_xact_lock(${ERASURE_STEP_LOCK}) AS "held"`,
  );
  if (lock?.held !== true) return 'busy';
  await tx.$executeRawUnsafe(FORGET_PARKED);
  await tx.$executeRawUnsafe(SETTLE_SPOOLS);
  const [row] = await tx.$queryRawUnsafe<(Omit<ErasureJob, 'subject'> & { readonly subject: string })[]>(OLDEST);
  if (!row) return 'idle';
  const job: ErasureJob = { ...row, subject: JSON.parse(row.subject) as ErasureJob['subject'] };
  const { counts = {}, next, place = null } = await PHASES[job.phase](tx, job);
  await tx.$executeRawUnsafe(
    NOTE_STEP,
    job.id,
    next ?? job.phase,
    counts.bindings ?? 0,
    counts.events ?? 0,
    counts.setAside ?? 0,
    counts.replays ?? 0,
    place?.[0] ?? null,
    place?.[1] ?? null,
  );
  if (next === null) await tx.$executeRawUnsafe(WAIT_FOR_SPOOLS, job.id);
  return 'stepped';
}

const PHASES = {
  bindings: eraseBindings,
  replays: eraseReplays,
  events: eraseEvents,
  'set-aside': eraseSetAside,
} satisfies Record<Phase, unknown>;

const OLDEST = `
SELECT "id"::text AS "id", "subject", "phase", ${instant('"requestedAt"')} AS "requestedAt", ${instant('"doneAt"')} AS "doneAt",
  "doneId"::text AS "doneId"
FROM "Erasure" WHERE "finishedAt" IS NULL AND "state" <> 'spools' ORDER BY "requestedAt", "id" LIMIT 1 FOR UPDATE`;

/** $1 id, $2 phase, $3 to $6 counts, $7 and $8 the place in the phase; null at its beginning. */
const NOTE_STEP = `
UPDATE "Erasure" SET "state" = 'running', "startedAt" = coalesce("startedAt", now()), "phase" = $2::text,
  "bindings" = "bindings" + $3::int, "events" = "events" + $4::int, "setAside" = "setAside" + $5::int, "replays" = "replays" + $6::int,
  "doneAt" = $7::text::timestamptz, "doneId" = $8::text::uuid
WHERE "id" = $1::uuid`;

/** $1 id. Every spool may hold messages from before; the name itself is needed no more. */
const WAIT_FOR_SPOOLS = `
UPDATE "Erasure" SET "state" = 'spools', "subject" = NULL, "spools" = coalesce((
  SELECT json_agg(json_build_object('spool', r."spool", 'replica', r."replica") ORDER BY r."replica", r."spool")::text
  FROM (SELECT DISTINCT "spool", "replica" FROM "IngestReplica" WHERE "spool" IS NOT NULL) r), '[]')
WHERE "id" = $1::uuid`;

/** A spool is out of the question once its replica said, after the request, that it is empty; or once it is off the board. */
const SETTLE_SPOOLS = `
UPDATE "Erasure" e SET "spools" = left_over."spools",
  "state" = CASE WHEN left_over."spools" = '[]' THEN 'done' ELSE e."state" END,
  "finishedAt" = CASE WHEN left_over."spools" = '[]' THEN now() END
FROM (
  SELECT w."id", coalesce((
    SELECT json_agg(s.held)::text FROM json_array_elements(w."spools"::json) AS s(held)
    WHERE EXISTS (SELECT FROM "IngestReplica" r WHERE r."spool" = (s.held ->> 'spool')::uuid
      AND NOT (r."spooled" = 0 AND r."heartbeatAt" > w."requestedAt"))), '[]') AS "spools"
  FROM "Erasure" w WHERE w."state" = 'spools' AND w."finishedAt" IS NULL
) left_over
WHERE e."id" = left_over."id" AND (left_over."spools" = '[]' OR e."spools" <> left_over."spools")`;

const FORGET_PARKED = `DELETE FROM "ErasedUnbinding" WHERE "receivedAt" < now() - INTERVAL '${PARKED_DAYS} days'`;
