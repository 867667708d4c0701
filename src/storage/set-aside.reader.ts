import { Injectable } from '@nestjs/common';
import type { MessageKey } from '../domain/decoded-message.js';
import { instant, type Instant, type Page, pageOf, type PageRequest, Parameters } from './read-columns.js';
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
}

/** The same with everything that was kept. */
export interface SetAsideMessageView extends SetAsideView {
  readonly properties: Readonly<Record<string, string>>;
  /** The body is text, or, where its bytes are not UTF-8, their hexadecimal digits. */
  readonly encoding: 'text' | 'hex';
  readonly body: string;
}

/** Which messages a list shows; what is undefined does not matter. */
export interface SetAsideFilter {
  readonly reason?: string;
  readonly replayed?: boolean;
  readonly from: Date | null;
  readonly to: Date | null;
}

/** The place of a message in the list. */
export type SetAsidePlace = readonly [receivedAt: Instant, id: string];

const VIEW = `replace(m."id"::text, '-', '') AS "id", m."reason", m."detail", m."transport", m."messageId", m."topic", m."generateTime",
  ${instant('m."receivedAt"')} AS "receivedAt", m."attempts", ${instant('m."replayedAt"')} AS "replayedAt", octet_length(m."body") AS "bytes"`;

/** A page looks at no more messages than this; see the event log. */
const LOOKED_AT = 20_000;

/** Answers what could not be understood. */
@Injectable()
export class SetAsideReader {
  constructor(private readonly snapshots: Snapshots) {}

  /** The newest first. A rare reason may leave a page short, or empty, with a `next` all the same. */
  async list(filter: SetAsideFilter, page: PageRequest<SetAsidePlace>): Promise<Page<SetAsideView, SetAsidePlace>> {
    return this.snapshots.read(async (query) => {
      const filtered = filter.reason !== undefined || filter.replayed !== undefined;
      const end = filtered ? await endOfLook(query, filter, page.after) : null;
      const parameters = new Parameters();
      const conditions = walked(parameters, filter, page.after);
      if (end) conditions.push(compared(parameters, '>=', end));
      if (filter.reason !== undefined) conditions.push(`m."reason" = ${parameters.add(filter.reason, 'text')}`);
      if (filter.replayed !== undefined) conditions.push(`m."replayedAt" IS ${filter.replayed ? 'NOT NULL' : 'NULL'}`);
      const rows = await query<SetAsideView>(
        `SELECT ${VIEW} FROM "SetAsideMessage" m WHERE ${conditions.join(' AND ')}
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

async function endOfLook(
  query: Query,
  filter: SetAsideFilter,
  after: SetAsidePlace | null,
): Promise<SetAsidePlace | null> {
  const parameters = new Parameters();
  const [row] = await query<{ receivedAt: Instant; id: string }>(
    `SELECT ${instant('m."receivedAt"')} AS "receivedAt", m."id"::text AS "id" FROM "SetAsideMessage" m
     WHERE ${walked(parameters, filter, after).join(' AND ')}
     ORDER BY m."receivedAt" DESC, m."id" DESC OFFSET ${LOOKED_AT - 1} LIMIT 1`,
    ...parameters.values,
  );
  return row ? [row.receivedAt, row.id] : null;
}

function walked(parameters: Parameters, { from, to }: SetAsideFilter, after: SetAsidePlace | null): string[] {
  const conditions = ['TRUE'];
  if (from) conditions.push(`m."receivedAt" >= ${parameters.add(from.toISOString(), 'timestamptz')}`);
  if (to) conditions.push(`m."receivedAt" < ${parameters.add(to.toISOString(), 'timestamptz')}`);
  if (after) conditions.push(compared(parameters, '<', after));
  return conditions;
}

function compared(parameters: Parameters, operator: '<' | '>=', [receivedAt, id]: SetAsidePlace): string {
  return `(m."receivedAt", m."id") ${operator} (${parameters.add(receivedAt, 'timestamptz')}, ${parameters.add(id, 'uuid')})`;
}

/** Bytes for people. */
function readable(body: Buffer): { readonly encoding: 'text' | 'hex'; readonly body: string } {
  try {
    return { encoding: 'text', body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body) };
  } catch {
    return { encoding: 'hex', body: body.toString('hex') };
  }
}
