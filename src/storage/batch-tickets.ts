import type { BatchTicket, Outcome } from '../domain/event-sink.js';
import type { Transaction } from './prisma.service.js';

const LETTERS = { stored: 's', duplicate: 'd', 'set-aside': 'a' } as const satisfies Record<Outcome, string>;
const OUTCOMES = new Map(Object.entries(LETTERS).map(([outcome, letter]) => [letter as string, outcome as Outcome]));

/** $1 run, $2 slot, $3 batch, $4 outcomes. */
const NOTE_BATCH = `
INSERT INTO "IngestBatch" ("run", "slot", "batch", "outcomes")
VALUES ($1::text::uuid, $2::text::int, $3::text::uuid, $4::text)
ON CONFLICT ("run", "slot") DO UPDATE SET "batch" = excluded."batch", "outcomes" = excluded."outcomes"`;

/** $1 run, $2 slot, $3 batch. */
const FIND_BATCH = `
SELECT "outcomes" FROM "IngestBatch" WHERE "run" = $1::text::uuid AND "slot" = $2::text::int AND "batch" = $3::text::uuid`;

/** Notes in the transaction of a batch what became of it. */
export async function noteBatch(
  tx: Transaction,
  run: string,
  { slot, batch }: BatchTicket,
  outcomes: readonly Outcome[],
): Promise<void> {
  const letters = outcomes.map((outcome) => LETTERS[outcome]).join('');
  await tx.$executeRawUnsafe(NOTE_BATCH, run, String(slot), batch, letters);
}

/** What became of a batch that was tried before; null when it was not written. */
export async function findBatch(
  tx: Transaction,
  run: string,
  { slot, batch }: BatchTicket,
): Promise<readonly Outcome[] | null> {
  const [row] = await tx.$queryRawUnsafe<{ outcomes: string }[]>(FIND_BATCH, run, String(slot), batch);
  if (row === undefined) return null;
  return [...row.outcomes].map((letter) => OUTCOMES.get(letter) ?? 'stored');
}
