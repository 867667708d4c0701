import { Inject, Injectable, Optional } from '@nestjs/common';
import { SERVICE_VERSION } from '../config/service-version.js';
import { Settings } from '../config/settings.js';
import { ReplicaBoard, type ReplicaState } from '../domain/replica-board.js';
import { asSinkError } from './database-fault.js';
import { PrismaService } from './prisma.service.js';
import { ProcessRun } from './process-run.js';

/** How long a process that says nothing more stays on the board; one that may have left something in its spool, much longer. */
const GONE_AFTER = '1 hour';
const SPOOL_GONE_AFTER = '30 days';
/** Which minutes are added up: later ones than those that nobody writes any more. */
const CHECKED = '3 hours';

/**
 * $1 replica, $2 run, $3 version, $4 started, $5 stopped, $6 in hand, $7 spool, $8 spooled, $9 bytes. Whoever has a spool
 * now speaks for it: what an earlier process said of the same one goes.
 */
const BEAT = `
INSERT INTO "IngestReplica" AS r
  ("replica", "run", "version", "startedAt", "heartbeatAt", "stopped", "inHand", "spool", "spooled", "spoolBytes")
VALUES ($1::text, $2::text::uuid, $3::text, $4::text::timestamptz, now(), $5::text::bool, $6::text::int, $7::text::uuid,
  $8::text::int8, $9::text::int8)
ON CONFLICT ("replica", "run") DO UPDATE SET "heartbeatAt" = now(), "stopped" = excluded."stopped",
  "inHand" = excluded."inHand", "spool" = excluded."spool", "spooled" = excluded."spooled", "spoolBytes" = excluded."spoolBytes"`;

/** $1 run, $2 spool. */
const REMOVE_GONE = `
DELETE FROM "IngestReplica" r WHERE r."run" <> $1::text::uuid
  AND (r."spool" = $2::text::uuid OR (r."spooled" = 0 AND r."heartbeatAt" < now() -
    CASE WHEN r."spool" IS NULL OR r."stopped" THEN INTERVAL '${GONE_AFTER}' ELSE INTERVAL '${SPOOL_GONE_AFTER}' END))`;

/** Whoever is off the board has no batch under way. */
const REMOVE_BATCHES = `
DELETE FROM "IngestBatch" b WHERE NOT EXISTS (SELECT FROM "IngestReplica" r WHERE r."run" = b."run")`;

/** Each transaction adds as much to what was received as to the outcomes: anything but zero is a fault of ours. */
const IMBALANCE = `
SELECT coalesce(sum(CASE WHEN "outcome" = 'received' THEN "count" ELSE -"count" END), 0)::text AS "difference"
FROM "IngestCount"
WHERE "minute" >= now() - INTERVAL '${CHECKED}'
  AND ("outcome" IN ('received', 'stored', 'duplicate', 'set-aside') OR "outcome" LIKE 'set-aside:%')`;

/** One row for each process that takes messages. */
@Injectable()
export class ReplicaBoardWriter extends ReplicaBoard {
  private readonly startedAt = new Date().toISOString();

  constructor(
    private readonly prisma: PrismaService,
    @Inject(Settings) private readonly settings: { readonly replica: string },
    @Optional() private readonly run: ProcessRun = new ProcessRun(),
  ) {
    super();
  }

  override async beat({ inHand, spool, stopped }: ReplicaState): Promise<number> {
    try {
      await this.prisma.$executeRawUnsafe(
        BEAT,
        this.settings.replica,
        this.run.id,
        SERVICE_VERSION,
        this.startedAt,
        String(stopped),
        String(inHand),
        spool?.id ?? null,
        String(spool?.messages ?? 0),
        String(spool?.bytes ?? 0),
      );
      await this.prisma.$executeRawUnsafe(REMOVE_GONE, this.run.id, spool?.id ?? null);
      await this.prisma.$executeRawUnsafe(REMOVE_BATCHES);
      const [row] = await this.prisma.$queryRawUnsafe<{ difference: string }[]>(IMBALANCE);
      return Number(row?.difference ?? 0);
    } catch (error) {
      throw asSinkError(error);
    }
  }
}
