import type { DeviceKey } from '../domain/device-key.js';
import type { JsonText } from './json-text.js';
import type { Instant } from './read-columns.js';

/** The current value of one property. */
export interface PropertyView {
  readonly value: JsonText;
  readonly at: Instant;
}

/** Who owns a device now. */
export interface OwnerView {
  readonly identityId: string;
  readonly scopeId: string;
  readonly tenantId: string;
  readonly since: Instant;
}

/** Everything about a device as it is now. */
export interface DeviceView extends DeviceKey {
  readonly iotId: string | null;
  readonly deviceType: string | null;
  /** Null until a status message came. */
  readonly online: boolean | null;
  readonly since: Instant | null;
  readonly lastSeen: Instant | null;
  readonly firstSeen: Instant | null;
  readonly lifecycle: string | null;
  /** productKey:deviceName */
  readonly gateway: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, PropertyView>>;
  readonly owners: readonly OwnerView[];
}
