import { decodeAnySize } from '../decoding/decode-large.js';
import type { DecodeOptions } from '../decoding/decode-message.js';
import type { DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import { MessageCondemned } from '../domain/event-sink.js';
import type { RawMessage } from '../domain/raw-message.js';
import { Replay, type ReplayResult } from '../domain/replay.js';
import type { SetAsideStore } from '../domain/set-aside-store.js';
import type { Metrics } from '../telemetry/metrics.js';
import { setAsideForm } from './set-aside-form.js';

/**
 * A message that was set aside, by today's decoder. A body that was refused for not being Base64 is tried as plain bytes.
 * Blanked secrets changed the bytes, and with them the key that decoding finds: the message is known by the one of its row.
 */
export async function decodeAgain(id: MessageKey, raw: RawMessage, options: DecodeOptions): Promise<DecodedMessage> {
  return { ...(await decodeAnySize({ ...raw, fault: null }, options)), key: id };
}

/** Tries a message again that was set aside: from its bytes, through today's decoder, into the real tables. */
export class Replayer extends Replay {
  constructor(
    private readonly store: SetAsideStore,
    private readonly options: DecodeOptions,
    private readonly metrics: Metrics | null = null,
  ) {
    super();
  }

  /** @throws SinkUnavailable while the store is away. */
  async replay(id: MessageKey, { dryRun }: { readonly dryRun: boolean }): Promise<ReplayResult | null> {
    const raw = await this.store.load(id);
    if (raw === null) return null;
    return this.write(await decodeAgain(id, raw, this.options), dryRun);
  }

  private async write(message: DecodedMessage, dryRun: boolean): Promise<ReplayResult | null> {
    try {
      const changes = await this.store.replay(message, { dryRun });
      if (changes === null) return null;
      const { key: id, refusal } = message;
      if (!dryRun) this.metrics?.replayed.inc({ outcome: refusal === null ? 'stored' : 'still-refused' });
      return { id, dryRun, result: refusal === null ? 'replayed' : 'refused', refusal, ...changes };
    } catch (error) {
      if (!(error instanceof MessageCondemned) || message.refusal !== null) throw error;
      return this.write(setAsideForm(message, error.message), dryRun);
    }
  }
}
