import { column } from './columns.js';
import { textOfEvent } from './erased-facts.js';
import { blanked, blankedBytes, mentions, textOf } from './identity-in-text.js';
import type { Transaction } from './prisma.service.js';
import { instant, type Instant, Parameters } from './read-columns.js';
import { ofUser, type UserReference } from './user-windows.js';

/** What an erasure looks through, in this order. */
export type Phase = 'bindings' | 'replays' | 'events' | 'set-aside';

/** An erasure that is under way. */
export interface ErasureJob {
  readonly id: string;
  readonly phase: Phase;
  readonly requestedAt: Instant;
  /** The place of the last row that was looked at. */
  readonly doneAt: Instant | null;
  readonly doneId: string | null;
  readonly subject: UserReference & {
    /** The keyed hash of the identity. */
    readonly identity: string;
    /** Facts up to this time go. */
    readonly erasedAt: Instant;
  };
}

/** What a step did. `next` is the phase that follows, null when this was the last; left out while there is more of this one. */
export interface PhaseStep {
  readonly counts?: {
    readonly bindings?: number;
    readonly events?: number;
    readonly setAside?: number;
    readonly replays?: number;
  };
  readonly next?: Phase | null;
  readonly place?: readonly [at: Instant, id: string];
}

/** Events that a step looks at. */
const STEP_EVENTS = 20_000;
/** Set-aside messages, and their bytes, that a step looks at. */
const STEP_MESSAGES = 500;
const STEP_BYTES = 4 * 1024 * 1024;

/** The bindings, and what the log tells of them: found by an index, so that they go at once. */
export async function eraseBindings(tx: Transaction, { subject }: ErasureJob): Promise<PhaseStep> {
  const parameters = new Parameters();
  const conditions = ofUser(parameters, subject).join(' AND ');
  const until = parameters.add(subject.erasedAt, 'text');
  const bindings = await tx.$executeRawUnsafe(
    `DELETE FROM "UserBinding" b WHERE ${conditions} AND b."at" <= ${until}::timestamptz`,
    ...parameters.values,
  );
  await tx.$executeRawUnsafe(
    `DELETE FROM "ErasedUnbinding" WHERE "identity" = $1::text AND "at" <= $2::text::timestamptz`,
    subject.identity,
    subject.erasedAt,
  );
  const logged = new Parameters();
  const narrowed = Object.entries({ scopeId: subject.scopeId, tenantId: subject.tenantId })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` AND e."value" ->> '${name}' = ${logged.add(value, 'text')}`);
  const events = await tx.$executeRawUnsafe(
    `DELETE FROM "EventLog" e WHERE e."identifier" = ${logged.add(subject.identityId, 'text')}
       AND e."kind" IN ('user-bound', 'user-unbound') AND e."at" <= ${logged.add(subject.erasedAt, 'text')}::timestamptz${narrowed.join('')}`,
    ...logged.values,
  );
  return { counts: { bindings, events }, next: 'replays' };
}

/** The filters of replays that name the user. There are few. */
export async function eraseReplays(tx: Transaction, { subject }: ErasureJob): Promise<PhaseStep> {
  const rows = await tx.$queryRawUnsafe<{ id: string; filter: string }[]>(
    `SELECT "id"::text AS "id", "filter" FROM "SetAsideReplay" ORDER BY "requestedAt", "id" FOR UPDATE`,
  );
  const naming = rows.filter(({ filter }) => names(filter, subject));
  await tx.$executeRawUnsafe(
    `UPDATE "SetAsideReplay" r SET "filter" = i.filter FROM unnest($1::text::uuid[], $2::text::text[]) AS i(id, filter) WHERE r."id" = i.id`,
    column(naming, ({ id }) => id),
    column(naming, ({ filter }) => blanked(filter, subject.identityId)),
  );
  return { counts: { replays: naming.length }, next: 'events' };
}

interface EventRow {
  readonly at: Instant;
  readonly hash: string;
  readonly kind: string;
  readonly identifier: string | null;
  readonly name: string | null;
  readonly type: string | null;
  readonly requestId: string | null;
  readonly value: string;
}

/** Every other event that names the user, whatever its kind: the whole log is gone through, once. */
export async function eraseEvents(tx: Transaction, job: ErasureJob): Promise<PhaseStep> {
  const { subject, doneAt, doneId } = job;
  const [end] = await tx.$queryRawUnsafe<{ at: Instant; hash: string }[]>(
    `SELECT ${instant('e."at"')} AS "at", e."hash"::text AS "hash" FROM "EventLog" e
     WHERE e."at" >= $1::text::timestamptz AND (e."at", e."hash") > ($1::text::timestamptz, $2::text::uuid)
     ORDER BY e."at", e."hash" OFFSET ${STEP_EVENTS - 1} LIMIT 1`,
    doneAt ?? BEGINNING,
    doneId ?? FIRST_ID,
  );
  const rows = await tx.$queryRawUnsafe<EventRow[]>(
    `SELECT ${instant('e."at"')} AS "at", e."hash"::text AS "hash", e."kind", e."identifier", e."name", e."type", e."requestId",
       e."value"::text AS "value"
     FROM "EventLog" e
     WHERE e."at" >= $1::text::timestamptz AND (e."at", e."hash") > ($1::text::timestamptz, $2::text::uuid)
       AND ($3::text IS NULL OR (e."at" <= $3::text::timestamptz AND (e."at", e."hash") <= ($3::text::timestamptz, $4::text::uuid)))
       AND (e."at" <= $5::text::timestamptz OR e."receivedAt" <= $6::text::timestamptz)
       AND (strpos(concat_ws(' ', e."identifier", e."name", e."type", e."requestId", e."value"::text), $7::text) > 0
         OR strpos(e."value"::text, $8::text) > 0 OR strpos(e."value"::text, $9::text) > 0 OR e."value" @> '{"encoding": "base64"}')`,
    doneAt ?? BEGINNING,
    doneId ?? FIRST_ID,
    end?.at ?? null,
    end?.hash ?? null,
    subject.erasedAt,
    job.requestedAt,
    subject.identityId,
    escaped(subject.identityId),
    escaped(escaped(subject.identityId)),
  );
  const naming = rows.filter((row) => !isLaterBinding(row, subject) && names(textOfEvent(row), subject));
  await tx.$executeRawUnsafe(
    `DELETE FROM "EventLog" e USING unnest($1::text::timestamptz[], $2::text::uuid[]) AS i(at, hash)
     WHERE e."at" = i.at AND e."hash" = i.hash`,
    column(naming, ({ at }) => at),
    column(naming, ({ hash }) => hash),
  );
  const counts = { events: naming.length };
  return end ? { counts, place: [end.at, end.hash] } : { counts, next: 'set-aside' };
}

interface MessageRow {
  readonly id: string;
  readonly at: Instant;
  readonly messageId: string | null;
  readonly topic: string | null;
  readonly generateTime: string | null;
  readonly detail: string;
  readonly properties: string;
  readonly productKey: string | null;
  readonly deviceName: string | null;
  readonly body: Uint8Array;
}

/** Set-aside messages keep everything but the name: what they tell of others may be wanted yet. */
export async function eraseSetAside(tx: Transaction, job: ErasureJob): Promise<PhaseStep> {
  const { subject, doneAt, doneId } = job;
  const looked = await tx.$queryRawUnsafe<MessageRow[]>(
    `SELECT m."id"::text AS "id", ${instant('m."receivedAt"')} AS "at", m."messageId", m."topic", m."generateTime", m."detail",
       m."properties", m."productKey", m."deviceName", m."body"
     FROM (
       SELECT n."id", sum(n."bytes") OVER (ORDER BY n."receivedAt", n."id") - n."bytes" AS "before" FROM (
         SELECT m."id", m."receivedAt", octet_length(m."body") AS "bytes" FROM "SetAsideMessage" m
         WHERE (m."receivedAt", m."id") > ($1::text::timestamptz, $2::text::uuid)
         ORDER BY m."receivedAt", m."id" LIMIT ${STEP_MESSAGES}) n
     ) w
     JOIN "SetAsideMessage" m ON m."id" = w."id" AND w."before" < ${STEP_BYTES}
     ORDER BY m."receivedAt", m."id" FOR UPDATE OF m`,
    doneAt ?? BEGINNING,
    doneId ?? FIRST_ID,
  );
  const naming = looked.filter((row) => names(textOfMessage(row), subject));
  if (naming.length > 0) await blankMessages(tx, naming, subject.identityId);
  const last = looked.at(-1);
  const counts = { setAside: naming.length };
  return last ? { counts, place: [last.at, last.id] } : { counts, next: null };
}

async function blankMessages(tx: Transaction, rows: readonly MessageRow[], name: string): Promise<void> {
  const text = (value: string | null): string | null => value && blanked(value, name);
  await tx.$executeRawUnsafe(
    `UPDATE "SetAsideMessage" m SET "messageId" = i.message_id, "topic" = i.topic, "generateTime" = i.generate_time, "detail" = i.detail,
       "properties" = i.properties, "productKey" = i.pk, "deviceName" = i.dn, "body" = i.body
     FROM unnest($1::text::uuid[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::text[], $6::text::text[],
       $7::text::text[], $8::text::text[], $9::text::bytea[])
       AS i(id, message_id, topic, generate_time, detail, properties, pk, dn, body)
     WHERE m."id" = i.id`,
    column(rows, ({ id }) => id),
    column(rows, ({ messageId }) => text(messageId)),
    column(rows, ({ topic }) => text(topic)),
    column(rows, ({ generateTime }) => text(generateTime)),
    column(rows, ({ detail }) => blanked(detail, name)),
    column(rows, ({ properties }) => blanked(properties, name)),
    column(rows, ({ productKey }) => text(productKey)),
    column(rows, ({ deviceName }) => text(deviceName)),
    column(rows, ({ body }) => `\\x${blankedBytes(Buffer.from(body), name).toString('hex')}`),
  );
}

const BEGINNING = '-infinity';
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Whether a text names the user, together with the scope and tenant that the erasure is narrowed to. */
function names(text: string, { identityId, scopeId, tenantId }: UserReference): boolean {
  return mentions(text, identityId) && [scopeId, tenantId].every((word) => word === undefined || mentions(text, word));
}

/** A bind from after the erasure that arrived before this step: its user has come back. */
function isLaterBinding({ kind, at }: EventRow, { erasedAt }: ErasureJob['subject']): boolean {
  return (kind === 'user-bound' || kind === 'user-unbound') && at > erasedAt;
}

function textOfMessage({
  messageId,
  topic,
  generateTime,
  detail,
  properties,
  productKey,
  deviceName,
  body,
}: MessageRow): string {
  return `${JSON.stringify([messageId, topic, generateTime, detail, properties, productKey, deviceName])} ${textOf(Buffer.from(body))}`;
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
