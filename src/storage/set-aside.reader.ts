import { Injectable } from '@nestjs/common';
import type { MessageKey } from '../domain/decoded-message.js';
import { EVERY_SET_ASIDE, type SetAsideFilter } from '../domain/set-aside-filter.js';
import { instant, type Instant, type Page, pageOf, type PageRequest, Parameters } from './read-columns.js';
import {
  BEGINNING,
  beside,
  type Condition,
  conditionsOf,
  type SetAsidePlace,
  timesOf,
  where,
} from './set-aside-conditions.js';
import { type Query, Snapshots } from './snapshots.js';

/** A message that was set aside, without its content. */
export interface SetAsideView {
  readonly id: MessageKey;
  readonly reason: string;
  readonly detail: string;
  readonly transport: string;
  readonly messageId: string | null;
  readonly topic: string | null;
  readonly generateTime: string | null;
  readonly receivedAt: Instant;
  /** Replays tried so far. */
  readonly attempts: number;
  readonly replayedAt: Instant | null;
  /** Size of the body. */
  readonly bytes: number;
  /** The kind that it seems to be of, and whom it names, as far as can be told. */
  readonly kind: string | null;
  readonly productKey: string | null;
  readonly deviceName: string | null;
  /** The version of the service that refused it last; null for those from before versions were noted. */
  readonly refusedBy: string | null;
}

/** The same with everything that was kept. */
export interface SetAsideMessageView extends SetAsideView {
  readonly properties: Readonly<Record<string, string>>;
  /** The body is text, or, where its bytes are not UTF-8, their hexadecimal digits. */
  readonly encoding: 'text' | 'hex';
  readonly body: string;
}

const VIEW = `replace(m."id"::text, '-', '') AS "id", m."reason", m."detail", m."transport", m."messageId", m."topic", m."generateTime",
  ${instant('m."receivedAt"')} AS "receivedAt", m."attempts", ${instant('m."replayedAt"')} AS "replayedAt", octet_length(m."body") AS "bytes",
  m."kind", m."productKey", m."deviceName", m."refusedBy"`;

/** How many messages there are of one reason. */
export interface ReasonCount {
  readonly reason: string;
  readonly count: number;
}

/** A page looks at no more messages than this; see the event log. */
const LOOKED_AT = 20_000;

/** Up to so many messages of one beginning of a topic are sorted for a page; of more, the list is walked. */
const SORTED = 2_000;

/** Answers what could not be understood. */
@Injectable()
export class SetAsideReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * The newest first. One filter is walked in its own index. The others are looked for on that walk, so that a rare
   * combination may leave a page short, or empty, with a `next` all the same.
   */
  async list(filter: SetAsideFilter, page: PageRequest<SetAsidePlace>): Promise<Page<SetAsideView, SetAsidePlace>> {
    return this.snapshots.read(async (query) => {
      const times = [...timesOf(filter), ...(page.after ? [beside('<', page.after)] : [])];
      const all = conditionsOf(filter);
      const walked = walkOf(filter);
      const few = walked.length === 0 && filter.topicPrefix !== undefined && (await areFew(query, filter.topicPrefix));
      const end = few || all.length === walked.length ? null : await endOfLook(query, [...walked, ...times]);
      const parameters = new Parameters();
      const conditions = where(parameters, ...all, ...times, ...(end ? [beside('>=', end)] : []));
      const rows = await query<SetAsideView>(
        `SELECT ${VIEW} FROM ${few ? topicFirst(conditions) : `"SetAsideMessage" m WHERE ${conditions}`}
         ORDER BY m."receivedAt" DESC, m."id" DESC LIMIT ${parameters.add(page.limit + 1, 'int')}`,
        ...parameters.values,
      );
      const found = pageOf(
        rows,
        page.limit,
        (row) => row,
        ({ receivedAt, id }) => [receivedAt, id] as const,
      );
      return found.next === null && end ? { ...found, next: end } : found;
    });
  }

  /** How many there are, by reason, the most frequent first. */
  async counts(filter: SetAsideFilter): Promise<readonly ReasonCount[]> {
    const parameters = new Parameters();
    const conditions = where(parameters, ...conditionsOf(filter), ...timesOf(filter));
    return this.snapshots.read((query) =>
      query<ReasonCount>(
        `SELECT m."reason", count(*)::int AS "count" FROM "SetAsideMessage" m WHERE ${conditions}
         GROUP BY 1 ORDER BY 2 DESC, 1`,
        ...parameters.values,
      ),
    );
  }

  async find(id: MessageKey): Promise<SetAsideMessageView | null> {
    const [row] = await this.snapshots.read((query) =>
      query<SetAsideView & { readonly properties: string; readonly body: Uint8Array }>(
        `SELECT ${VIEW}, m."properties", m."body" FROM "SetAsideMessage" m WHERE m."id" = $1::uuid`,
        id,
      ),
    );
    if (!row) return null;
    const { properties } = JSON.parse(row.properties) as { properties?: Record<string, string> };
    return { ...row, properties: properties ?? {}, ...readable(Buffer.from(row.body)) };
  }
}

/** The filter whose index the list is walked in: the first one that has an index in the order of the list. */
function walkOf(filter: SetAsideFilter): readonly Condition[] {
  return conditionsOf({ ...filter, topicPrefix: undefined, notRefusedBy: undefined }).slice(0, 1);
}

/** Along the index of topics: what PostgreSQL expects of them could be wrong. */
async function areFew(query: Query, topicPrefix: string): Promise<boolean> {
  const parameters = new Parameters();
  const conditions = where(parameters, ...conditionsOf({ ...EVERY_SET_ASIDE, topicPrefix }));
  const [row] = await query<{ few: boolean }>(
    `SELECT count(*) <= ${SORTED} AS "few" FROM (
       SELECT 1 FROM "SetAsideMessage" m WHERE ${conditions} ORDER BY ${BEGINNING} LIMIT ${SORTED + 1}) f`,
    ...parameters.values,
  );
  return row?.few === true;
}

/** Finds the messages before sorting them: or PostgreSQL, which does not know that they are few, may walk the whole list. */
function topicFirst(conditions: string): string {
  return `(SELECT * FROM "SetAsideMessage" m WHERE ${conditions} OFFSET 0) m`;
}

async function endOfLook(query: Query, conditions: readonly Condition[]): Promise<SetAsidePlace | null> {
  const parameters = new Parameters();
  const [row] = await query<{ receivedAt: Instant; id: string }>(
    `SELECT ${instant('m."receivedAt"')} AS "receivedAt", m."id"::text AS "id" FROM "SetAsideMessage" m
     WHERE ${where(parameters, ...conditions)}
     ORDER BY m."receivedAt" DESC, m."id" DESC OFFSET ${LOOKED_AT - 1} LIMIT 1`,
    ...parameters.values,
  );
  return row ? [row.receivedAt, row.id] : null;
}

/** Bytes for people. */
function readable(body: Buffer): { readonly encoding: 'text' | 'hex'; readonly body: string } {
  try {
    return { encoding: 'text', body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body) };
  } catch {
    return { encoding: 'hex', body: body.toString('hex') };
  }
}
