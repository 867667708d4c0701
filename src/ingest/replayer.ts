import { decodeAnySize } from '../decoding/decode-large.js';
import type { DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import { MessageCondemned } from '../domain/event-sink.js';
import { Replay, type ReplayResult } from '../domain/replay.js';
import type { SetAsideStore } from '../domain/set-aside-store.js';
import { setAsideForm } from './set-aside-form.js';

/** Tries a message again that was set aside: from its bytes, through today's decoder, into the real tables. */
export class Replayer extends Replay {
  constructor(
    private readonly store: SetAsideStore,
    private readonly options: { readonly bodyIdentity: 'topic' | 'any' },
  ) {
    super();
  }

  /**
   * A body that was refused for not being Base64 is tried as plain bytes.
   * @throws SinkUnavailable while the store is away.
   */
  async replay(id: MessageKey, { dryRun }: { readonly dryRun: boolean }): Promise<ReplayResult | null> {
    const raw = await this.store.load(id);
    if (raw === null) return null;
    const decoded = await decodeAnySize({ ...raw, fault: null }, this.options);
    // Blanked secrets change the bytes, and with them the key that decoding finds: the row is known by its own.
    return this.write({ ...decoded, key: id }, dryRun);
  }

  private async write(message: DecodedMessage, dryRun: boolean): Promise<ReplayResult> {
    try {
      const changes = await this.store.replay(message, { dryRun });
      const { key: id, refusal } = message;
      return { id, dryRun, result: refusal === null ? 'replayed' : 'refused', refusal, changes };
    } catch (error) {
      if (!(error instanceof MessageCondemned) || message.refusal !== null) throw error;
      return this.write(setAsideForm(message, error.message), dryRun);
    }
  }
}
