import { Injectable } from '@nestjs/common';
import type { ReplayCounts } from '../domain/replay.js';
import { instant, type Instant, type Page, pageOf, type PageRequest, Parameters } from './read-columns.js';
import { Snapshots } from './snapshots.js';

/** A replay of many messages and how far it has come. */
export interface ReplayJobView extends ReplayCounts {
  readonly id: string;
  readonly state: 'waiting' | 'running' | 'done' | 'cancelled';
  readonly filter: Readonly<Record<string, unknown>>;
  readonly requestedAt: Instant;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  /** How many messages there were when it was asked for. */
  readonly total: number;
  /** The sum of what became of them. Stays below `total` where messages were deleted or changed meanwhile. */
  readonly done: number;
}

/** The place of a replay in the list. */
export type ReplayPlace = readonly [requestedAt: Instant, id: string];

const VIEW = `j."id"::text AS "id", j."state", j."filter", ${instant('j."requestedAt"')} AS "requestedAt",
  ${instant('j."startedAt"')} AS "startedAt", ${instant('j."finishedAt"')} AS "finishedAt", j."total",
  j."stored" + j."duplicate" + j."stillRefused" + j."failed" AS "done", j."stored", j."duplicate", j."stillRefused", j."failed"`;

type Row = Omit<ReplayJobView, 'filter'> & { readonly filter: string };

/** Answers how far replays have come. */
@Injectable()
export class ReplayJobReader {
  constructor(private readonly snapshots: Snapshots) {}

  /** The newest first. */
  async list(page: PageRequest<ReplayPlace>): Promise<Page<ReplayJobView, ReplayPlace>> {
    const parameters = new Parameters();
    const { after } = page;
    const condition = after
      ? `(j."requestedAt", j."id") < (${parameters.add(after[0], 'timestamptz')}, ${parameters.add(after[1], 'uuid')})`
      : 'TRUE';
    const rows = await this.snapshots.read((query) =>
      query<Row>(
        `SELECT ${VIEW} FROM "SetAsideReplay" j WHERE ${condition}
         ORDER BY j."requestedAt" DESC, j."id" DESC LIMIT ${parameters.add(page.limit + 1, 'int')}`,
        ...parameters.values,
      ),
    );
    return pageOf(rows, page.limit, viewOf, ({ requestedAt, id }) => [requestedAt, id] as const);
  }

  async find(id: string): Promise<ReplayJobView | null> {
    const [row] = await this.snapshots.read((query) =>
      query<Row>(`SELECT ${VIEW} FROM "SetAsideReplay" j WHERE j."id" = $1::uuid`, id),
    );
    return row ? viewOf(row) : null;
  }
}

function viewOf(row: Row): ReplayJobView {
  const { from, to, ...given } = JSON.parse(row.filter) as Record<string, unknown>;
  const times = Object.entries({ from, to }).filter(([, time]) => time !== null);
  return { ...row, filter: { ...given, ...Object.fromEntries(times) } };
}
