import type { PlatformMessage, PropertyValue } from './platform-message.js';

/** What a rule sends to a consumer group, beside what the group subscribes to (protocol 11). */
export interface Forward {
  /** Key of the consumer group, see `enterpriseGroup`. */
  readonly group: string;
  /** The rule, for the message log. */
  readonly rule: string;
  readonly topic: string;
  readonly body: string | Uint8Array;
  /** Further application properties, a tag for one. */
  readonly properties?: Readonly<Record<string, PropertyValue>>;
}

/** Something that looks at every message and forwards what it makes of it: the rule engine. Never throws. */
export interface Forwarder {
  forwards(message: PlatformMessage, tenant: string | null): readonly Forward[];
}
