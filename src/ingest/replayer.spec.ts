import { describe, expect, it } from '@jest/globals';
import { aPropertyReport } from '../../test/support/messages.js';
import { decodeMessage } from '../decoding/decode-message.js';
import type { DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import { MessageCondemned, SinkUnavailable } from '../domain/event-sink.js';
import type { RawMessage } from '../domain/raw-message.js';
import type { Changes } from '../domain/replay.js';
import { SetAsideStore } from '../domain/set-aside-store.js';
import { Replayer } from './replayer.js';

const options = { bodyIdentity: 'topic' } as const;

/** Holds one message and remembers what was replayed. */
class OneMessage extends SetAsideStore {
  readonly replayed: { readonly message: DecodedMessage; readonly dryRun: boolean }[] = [];

  constructor(
    private readonly raw: RawMessage,
    private readonly fails: (message: DecodedMessage) => Error | undefined = () => undefined,
  ) {
    super();
  }

  get id(): MessageKey {
    return decodeMessage(this.raw, options).key;
  }

  async load(id: MessageKey): Promise<RawMessage | null> {
    return Promise.resolve(id === this.id ? this.raw : null);
  }

  async replay(message: DecodedMessage, { dryRun }: { readonly dryRun: boolean }): Promise<Changes> {
    const error = this.fails(message);
    if (error) throw error;
    this.replayed.push({ message, dryRun });
    return Promise.resolve({ changes: { PropertyReading: message.events.length }, rows: [], rowsLeftOut: 0 });
  }
}

describe('a replay', () => {
  it.each([true, false])('writes what is understood now (dry run: %s)', async (dryRun) => {
    const store = new OneMessage(aPropertyReport());
    const result = await new Replayer(store, options).replay(store.id, { dryRun });
    expect(result).toMatchObject({ id: store.id, dryRun, result: 'replayed', refusal: null });
    expect(result?.changes.PropertyReading).toBeGreaterThan(0);
    expect(store.replayed).toMatchObject([{ dryRun, message: { key: store.id, refusal: null } }]);
  });

  it('of a message that was no Base64 takes its bytes as they are', async () => {
    const store = new OneMessage({ ...aPropertyReport(), fault: 'not-base64' });
    const result = await new Replayer(store, options).replay(store.id, { dryRun: false });
    expect(result).toMatchObject({ result: 'replayed' });
  });

  it('says why a message is still not understood, and has the attempt noted', async () => {
    const store = new OneMessage({ ...aPropertyReport(), body: Buffer.from('{') });
    const result = await new Replayer(store, options).replay(store.id, { dryRun: false });
    expect(result).toMatchObject({ result: 'refused', refusal: { reason: 'not-json' } });
    expect(store.replayed).toMatchObject([{ message: { refusal: { reason: 'not-json' } } }]);
  });

  it('says when the store still condemns it', async () => {
    const store = new OneMessage(aPropertyReport(), ({ refusal }) =>
      refusal === null ? new MessageCondemned('numeric field overflow') : undefined,
    );
    const result = await new Replayer(store, options).replay(store.id, { dryRun: false });
    expect(result).toMatchObject({
      result: 'refused',
      refusal: { reason: 'not-storable', detail: 'numeric field overflow' },
    });
  });

  it('is null when no such message was set aside', async () => {
    const store = new OneMessage(aPropertyReport());
    expect(await new Replayer(store, options).replay('0'.repeat(32), { dryRun: false })).toBeNull();
  });

  it('fails while the store is away', async () => {
    const store = new OneMessage(aPropertyReport(), () => new SinkUnavailable('database'));
    await expect(new Replayer(store, options).replay(store.id, { dryRun: false })).rejects.toThrow(SinkUnavailable);
  });
});
