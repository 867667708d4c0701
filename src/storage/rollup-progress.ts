import { Injectable } from '@nestjs/common';
import { PrismaService } from './prisma.service.js';
import { epochMs } from './read-columns.js';

/** How far the roll-ups are; times in epoch milliseconds. */
export interface RollupProgressView {
  /** Up to here they may reach: the rest is too young. */
  readonly readyUntil: number;
  /** Whole days are rolled up from here to there. */
  readonly daysFrom: number;
  readonly daysUntil: number;
  /** Nothing older is left to be rolled up. */
  readonly pastDone: boolean;
  /** Days of series to be rolled up again, counted once for each batch that touched them; no more than MARKS_COUNTED are counted. */
  readonly markedDays: number;
}

const MARKS_COUNTED = 100_000;

/** Tells how far the roll-ups are. */
@Injectable()
export class RollupProgress {
  constructor(private readonly prisma: PrismaService) {}

  async now(): Promise<RollupProgressView> {
    const [row] = await this.prisma.$queryRawUnsafe<RollupProgressView[]>(PROGRESS);
    return row ?? { readyUntil: NaN, daysFrom: NaN, daysUntil: NaN, pastDone: false, markedDays: 0 };
  }
}

const PROGRESS = `
SELECT ${epochMs('s."ready"')} AS "readyUntil", ${epochMs('s."daysFrom"')} AS "daysFrom", ${epochMs('s."daysUntil"')} AS "daysUntil",
  s."pastDone", (SELECT count(*)::int FROM (SELECT FROM "RollupMark" LIMIT ${MARKS_COUNTED}) m) AS "markedDays"
FROM "RollupState" s`;
