import type { DeviceEvent } from '../../src/domain/device-event.js';
import type { PrismaService } from '../../src/storage/prisma.service.js';
import { planWrites } from '../../src/storage/write-plan.js';
import { writePlan } from '../../src/storage/write-rows.js';
import { decodedAs } from './writer.js';

/** A transaction that has written everything, its row of the change log included, and has not ended. */
export interface HeldWrite {
  commit(): Promise<void>;
  rollBack(): Promise<void>;
}

/** Writes as the writer does, and holds the transaction open. */
export async function heldWrite(prisma: PrismaService, ...events: readonly DeviceEvent[]): Promise<HeldWrite> {
  const plan = planWrites([decodedAs(events)], { readingsFrom: null, eventsFrom: null });
  let finish: (how: 'commit' | 'rollback') => void = () => undefined;
  const order = new Promise<'commit' | 'rollback'>((resolve) => (finish = resolve));
  let ended: Promise<void> = Promise.resolve();
  await new Promise<void>((written, failed) => {
    ended = prisma
      .inTransaction(async (tx) => {
        await writePlan(tx, plan, true);
        written();
        if ((await order) === 'rollback') throw new RolledBack();
      })
      .catch((error: unknown) => {
        failed(error instanceof Error ? error : new Error(String(error)));
        if (!(error instanceof RolledBack)) throw error;
      });
  });
  return {
    commit: async () => {
      finish('commit');
      await ended;
    },
    rollBack: async () => {
      finish('rollback');
      await ended;
    },
  };
}

class RolledBack extends Error {}
