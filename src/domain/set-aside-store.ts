import type { DecodedMessage, MessageKey } from './decoded-message.js';
import type { RawMessage } from './raw-message.js';
import type { Changes } from './replay.js';

/** Where refused messages are kept, and how one goes through the store a second time. */
export abstract class SetAsideStore {
  /** @returns the message as it was received (without secrets, without fault), or null when none has that id. */
  abstract load(id: MessageKey): Promise<RawMessage | null>;

  /**
   * Does the real write of one message that was set aside: counts nothing and touches no seen key. A message that is still
   * refused only has its attempt and its reason noted. With `dryRun` all of it is rolled back.
   * @returns the rows inserted, changed or removed, beside the message's own; null when it was deleted meanwhile.
   * @throws SinkUnavailable, MessageCondemned
   */
  abstract replay(message: DecodedMessage, options: { readonly dryRun: boolean }): Promise<Changes | null>;
}
