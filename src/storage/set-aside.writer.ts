import { Inject, Injectable, Optional } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import type { DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import type { RawMessage } from '../domain/raw-message.js';
import type { Changes } from '../domain/replay.js';
import { SetAsideStore } from '../domain/set-aside-store.js';
import { type ChangeLogSettings, keepsLog } from './changed-rows.js';
import { asSinkError, databaseFault } from './database-fault.js';
import { neededPartitions, TRIES } from './device-event.writer.js';
import { ErasedFacts } from './erased-facts.js';
import { ErasureKeys } from './erasure-keys.js';
import { Partitions } from './partitions.js';
import { UNHURRIED } from './patience.js';
import { PrismaService } from './prisma.service.js';
import { changesOf } from './row-changes.js';
import { rawMessageOf } from './set-aside-row.js';
import { planWrites, type WritePlan } from './write-plan.js';
import { lockSetAside, markReplayed, writePlan } from './write-rows.js';

/** Thrown to end a dry run's transaction: what it did is known, and nothing of it shall stay. */
class DryRunOver extends Error {
  constructor(readonly changes: Changes) {
    super('dry run');
  }
}

/** Takes set-aside messages out of their table and puts them through the same write as everybody else. */
@Injectable()
export class SetAsideWriter extends SetAsideStore {
  constructor(
    private readonly prisma: PrismaService,
    private readonly partitions: Partitions,
    @Optional() @Inject(Settings) private readonly settings: ChangeLogSettings = {},
    @Optional() private readonly erased: ErasedFacts = new ErasedFacts(new ErasureKeys({})),
  ) {
    super();
  }

  override async load(id: MessageKey): Promise<RawMessage | null> {
    try {
      const row = await this.prisma.setAsideMessage.findUnique({ where: { id } });
      return row ? rawMessageOf(row) : null;
    } catch (error) {
      throw asSinkError(error);
    }
  }

  override async replay(message: DecodedMessage, { dryRun }: { readonly dryRun: boolean }): Promise<Changes | null> {
    const plan = replayPlan([message]);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.write(message, plan, dryRun);
      } catch (error) {
        if (error instanceof DryRunOver) return error.changes;
        const fault = databaseFault(error);
        if (attempt < TRIES && fault === 'conflict') continue;
        if (attempt < TRIES && fault === 'missing-partition') {
          await this.partitions.add(neededPartitions(plan));
          continue;
        }
        throw asSinkError(error);
      }
    }
  }

  private async write(message: DecodedMessage, plan: WritePlan, dryRun: boolean): Promise<Changes | null> {
    return this.prisma.inTransaction(async (tx) => {
      const there = await lockSetAside(tx, [message.key]);
      if (there.size === 0) return null;
      const write = async (): Promise<void> => {
        await writePlan(tx, await this.erased.leftOut(tx, plan), keepsLog(this.settings));
      };
      const changes = await changesOf(tx, plan, write);
      await markReplayed(tx, [message]);
      if (dryRun) throw new DryRunOver(changes);
      return changes;
    }, UNHURRIED);
  }
}

/**
 * What a replay of messages writes; those still refused write nothing. Whoever replays an old message wants it, whatever its
 * age: the next retention run decides again.
 */
export function replayPlan(messages: readonly DecodedMessage[]): WritePlan {
  const understood = messages.filter(({ refusal }) => refusal === null);
  return planWrites(understood, { readingsFrom: null, eventsFrom: null });
}
