import { Injectable } from '@nestjs/common';
import type { DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import type { RawMessage } from '../domain/raw-message.js';
import { SetAsideStore } from '../domain/set-aside-store.js';
import { asSinkError, databaseFault } from './database-fault.js';
import { neededPartitions } from './device-event.writer.js';
import { Partitions } from './partitions.js';
import { PrismaService } from './prisma.service.js';
import { rawMessageOf } from './set-aside-row.js';
import { planWrites } from './write-plan.js';
import { writePlan } from './write-rows.js';
import { MARK_REPLAYED } from './write-statements.js';

/** Thrown to end a dry run's transaction: what it did is known, and nothing of it shall stay. */
class DryRunOver extends Error {
  constructor(readonly changes: Readonly<Record<string, number>>) {
    super('dry run');
  }
}

/** Takes set-aside messages out of their table and puts them through the same write as everybody else. */
@Injectable()
export class SetAsideWriter extends SetAsideStore {
  constructor(
    private readonly prisma: PrismaService,
    private readonly partitions: Partitions,
  ) {
    super();
  }

  override async load(id: MessageKey): Promise<RawMessage | null> {
    const row = await this.prisma.setAsideMessage.findUnique({ where: { id } });
    return row ? rawMessageOf(row) : null;
  }

  override async replay(
    message: DecodedMessage,
    { dryRun }: { readonly dryRun: boolean },
  ): Promise<Readonly<Record<string, number>>> {
    try {
      return await this.write(message, dryRun);
    } catch (error) {
      if (databaseFault(error) !== 'missing-partition') throw asSinkError(error);
      await this.partitions.add(neededPartitions(planWrites([message], KEEP_ALL)));
      return this.write(message, dryRun);
    }
  }

  private async write(message: DecodedMessage, dryRun: boolean): Promise<Readonly<Record<string, number>>> {
    try {
      return await this.prisma.inTransaction(async (tx) => {
        const { key, refusal } = message;
        const changes = refusal ? {} : await writePlan(tx, planWrites([message], KEEP_ALL));
        await tx.$executeRawUnsafe(
          MARK_REPLAYED,
          key,
          refusal?.reason ?? null,
          refusal?.detail ?? null,
          refusal === null,
        );
        if (dryRun) throw new DryRunOver(changes);
        return changes;
      });
    } catch (error) {
      if (error instanceof DryRunOver) return error.changes;
      throw error;
    }
  }
}

/** Whoever replays an old message wants it, whatever its age; the next retention run decides again. */
const KEEP_ALL = { readingsFrom: null, eventsFrom: null };
