import { Injectable } from '@nestjs/common';
import { instant, type Instant, type Page, pageOf, type PageRequest, Parameters } from './read-columns.js';
import { Snapshots } from './snapshots.js';

/** The receipt of an erasure. It never tells whom it was asked for. */
export interface ErasureView {
  readonly id: string;
  /** `spools`: all is done but for what spools may still hold on replicas' disks. */
  readonly state: 'waiting' | 'running' | 'spools' | 'done';
  /** The keyed hash (HMAC-SHA-256) of whom it was asked for. */
  readonly subject: string;
  /** The fingerprint of the key. */
  readonly key: string;
  readonly requestedAt: Instant;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  /** Rows removed, by table. */
  readonly removed: { readonly UserBinding: number; readonly EventLog: number };
  /** Rows in which the identity was blanked, by table. */
  readonly blanked: { readonly SetAsideMessage: number; readonly SetAsideReplay: number };
  /** Replicas whose spools have not been empty since: what is in them is left out when it is stored. */
  readonly waitingFor: readonly string[];
}

/** The place of an erasure in the list. */
export type ErasurePlace = readonly [requestedAt: Instant, id: string];

const VIEW = `e."id"::text AS "id", e."state", e."hash" AS "subject", e."key", ${instant('e."requestedAt"')} AS "requestedAt",
  ${instant('e."startedAt"')} AS "startedAt", ${instant('e."finishedAt"')} AS "finishedAt", e."bindings", e."events", e."setAside",
  e."replays", e."spools"`;

interface Row extends Omit<ErasureView, 'removed' | 'blanked' | 'waitingFor'> {
  readonly bindings: number;
  readonly events: number;
  readonly setAside: number;
  readonly replays: number;
  readonly spools: string | null;
}

/** Answers who was erased when, without their names. */
@Injectable()
export class ErasureReader {
  constructor(private readonly snapshots: Snapshots) {}

  /** The newest first. */
  async list(page: PageRequest<ErasurePlace>): Promise<Page<ErasureView, ErasurePlace>> {
    const parameters = new Parameters();
    const { after } = page;
    const condition = after
      ? `(e."requestedAt", e."id") < (${parameters.add(after[0], 'timestamptz')}, ${parameters.add(after[1], 'uuid')})`
      : 'TRUE';
    const rows = await this.snapshots.read((query) =>
      query<Row>(
        `SELECT ${VIEW} FROM "Erasure" e WHERE ${condition}
         ORDER BY e."requestedAt" DESC, e."id" DESC LIMIT ${parameters.add(page.limit + 1, 'int')}`,
        ...parameters.values,
      ),
    );
    return pageOf(rows, page.limit, viewOf, ({ requestedAt, id }) => [requestedAt, id] as const);
  }

  async find(id: string): Promise<ErasureView | null> {
    const [row] = await this.snapshots.read((query) =>
      query<Row>(`SELECT ${VIEW} FROM "Erasure" e WHERE e."id" = $1::uuid`, id),
    );
    return row ? viewOf(row) : null;
  }
}

function viewOf({ bindings, events, setAside, replays, spools, ...row }: Row): ErasureView {
  const waiting = JSON.parse(spools ?? '[]') as readonly { readonly replica: string }[];
  return {
    ...row,
    removed: { UserBinding: bindings, EventLog: events },
    blanked: { SetAsideMessage: setAside, SetAsideReplay: replays },
    waitingFor: [...new Set(waiting.map(({ replica }) => replica))],
  };
}
