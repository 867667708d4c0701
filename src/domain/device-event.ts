import type { DeviceKey } from './device-key.js';
import type { CanonicalJson, Value } from './value.js';

/** What happened to a device, in our own words. Decoders make these; storage and followers read them. */
export type DeviceEvent =
  | DeviceIdentified
  | PropertiesReported
  | EventRaised
  | PresenceChanged
  | CommandReplied
  | UserBound
  | UserUnbound
  | LifecycleChanged
  | TopologyChanged
  | GatewayChanged
  | SubDevicesFound
  | TagsChanged
  | UpgradeFinished
  | UpgradeProgressed
  | VersionReported
  | UpgradeJobChanged
  | ValueRejected
  | CustomMessageReceived;

interface Happened {
  readonly device: DeviceKey;
  /** When it happened, by the message's body where that tells. Always in the years 1 to 9999. */
  readonly at: Date;
}

/** A message told us attributes of a device beside its news. `at` is the platform's time of the message. */
export interface DeviceIdentified extends Happened {
  readonly kind: 'device-identified';
  /** Platform-wide id; null when the message has none or an empty one. */
  readonly iotId: string | null;
  readonly deviceType: string | null;
}

/** One value of one property at one time. */
export interface Reading {
  readonly identifier: string;
  readonly value: Value;
  readonly at: Date;
}

/** The device told property values, possibly of several moments; also what batch and history posts are. */
export interface PropertiesReported extends Happened {
  readonly kind: 'properties-reported';
  readonly readings: readonly Reading[];
}

/** The device raised an event of its thing model. */
export interface EventRaised extends Happened {
  readonly kind: 'event-raised';
  readonly identifier: string;
  readonly name: string | null;
  /** The model's event type: info, alert or error. */
  readonly type: string | null;
  readonly requestId: string | null;
  readonly value: CanonicalJson;
}

/** The device went on- or offline. `at` is when the platform noticed. */
export interface PresenceChanged extends Happened {
  readonly kind: 'presence-changed';
  readonly online: boolean;
  /** What status messages are ordered by, before `at`: the last packet's time where that means something. */
  readonly orderedBy: Date;
  /** The platform's offlineReasonCode. */
  readonly reason: number | null;
  /** The remaining fields of the message, such as the client's address. */
  readonly detail: CanonicalJson;
}

/** A downlink command was answered, by the device or by the platform in its place. */
export interface CommandReplied extends Happened {
  readonly kind: 'command-replied';
  readonly requestId: string;
  /** False when the platform answered because it never reached the device. */
  readonly byDevice: boolean;
  /** code, message, topic and data. */
  readonly value: CanonicalJson;
}

/** A user in one isolation scope of one tenant. */
export interface PlatformUser {
  readonly identityId: string;
  readonly scopeId: string;
  readonly tenantId: string;
}

/** A user came to own or share the device. */
export interface UserBound extends Happened {
  readonly kind: 'user-bound';
  readonly user: PlatformUser;
  /** True for the owner, false for somebody the device is shared with. */
  readonly owned: boolean;
}

/** A user no longer owns or shares the device. */
export interface UserUnbound extends Happened {
  readonly kind: 'user-unbound';
  readonly user: PlatformUser;
  readonly owned: boolean;
}

export type LifecycleAction = 'create' | 'delete' | 'enable' | 'disable';

/** The device was created, deleted, enabled or disabled on the platform. */
export interface LifecycleChanged extends Happened {
  readonly kind: 'lifecycle-changed';
  readonly action: LifecycleAction;
}

/** Sub-devices were attached to or detached from a gateway, or enabled or disabled behind it. `device` is the gateway. */
export interface TopologyChanged extends Happened {
  readonly kind: 'topology-changed';
  readonly action: LifecycleAction;
  readonly subDevices: readonly DeviceKey[];
}

/** The same fact, told of one sub-device. `create` attaches, `delete` detaches, the others change nothing of it. */
export interface GatewayChanged extends Happened {
  readonly kind: 'gateway-changed';
  readonly action: LifecycleAction;
  readonly gateway: DeviceKey;
}

/** A gateway found devices near it that are not attached yet. `device` is the gateway. */
export interface SubDevicesFound extends Happened {
  readonly kind: 'sub-devices-found';
  readonly subDevices: readonly DeviceKey[];
}

/** Tags of the device were set. */
export interface TagsChanged extends Happened {
  readonly kind: 'tags-changed';
  readonly tags: readonly { readonly key: string; readonly value: string }[];
}

/** A firmware upgrade of the device ended. */
export interface UpgradeFinished extends Happened {
  readonly kind: 'upgrade-finished';
  readonly value: CanonicalJson;
}

/** A firmware upgrade of the device moved on, or failed on the way. */
export interface UpgradeProgressed extends Happened {
  readonly kind: 'upgrade-progressed';
  readonly value: CanonicalJson;
}

/** The device reported another version of one of its modules. */
export interface VersionReported extends Happened {
  readonly kind: 'version-reported';
  readonly value: CanonicalJson;
}

/** A batch of upgrades changed its status. It concerns a product, not a device. */
export interface UpgradeJobChanged {
  readonly kind: 'upgrade-job-changed';
  readonly productKey: string;
  readonly at: Date;
  readonly value: CanonicalJson;
}

/** Why one value of an otherwise good message was not kept as what it claims to be. */
export type ValueRejectionReason =
  | 'check-failed' // the platform's own validation, from checkFailedData
  | 'not-storable' // a NUL character or half of a surrogate pair, which PostgreSQL cannot hold
  | 'bad-time' // not a time, or outside the years 1 to 9999
  | 'future-time' // more than 25 hours after the platform's time of the message
  | 'too-long' // an identifier over 256 characters, a number over 1,000 digits
  | 'malformed'; // not of the shape that its message kind has

/** One value could not be kept as what it claims to be; the rest of its message was. */
export interface ValueRejected extends Happened {
  readonly kind: 'value-rejected';
  /** What it would have been a value of, escaped and shortened where need be. */
  readonly identifier: string | null;
  readonly reason: ValueRejectionReason;
  /** What was sent, with whatever PostgreSQL cannot hold escaped, and what the platform said of it. */
  readonly value: CanonicalJson;
}

/** Bytes on a topic of the device's own choosing. */
export interface CustomMessageReceived extends Happened {
  readonly kind: 'custom-message-received';
  readonly topic: string;
  /** How `value` holds the body: as JSON, as a JSON string of its text, or as a JSON string of its Base64. */
  readonly encoding: 'json' | 'text' | 'base64';
  readonly value: CanonicalJson;
}
