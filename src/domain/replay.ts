import type { MessageKey } from './decoded-message.js';
import type { Refusal } from './raw-message.js';

/** What a replay did, or would do. */
export interface ReplayResult {
  readonly id: MessageKey;
  readonly dryRun: boolean;
  /** `replayed`: it is events now. `refused`: it still cannot be understood. */
  readonly result: 'replayed' | 'refused';
  readonly refusal: Refusal | null;
  /** Rows inserted or changed, by table. */
  readonly changes: Readonly<Record<string, number>>;
}

/** Tries a message again that was set aside. */
export abstract class Replay {
  /** @returns null when no message of that id was set aside. */
  abstract replay(id: MessageKey, options: { readonly dryRun: boolean }): Promise<ReplayResult | null>;
}
