import type { Product, Voice } from './product.js';

/** A person of the Living platform. */
export interface User {
  readonly identityId: string;
  readonly tenantId: string;
}

/** What is fixed about a device when it is registered. */
export interface Registration {
  readonly product: Product;
  readonly deviceName: string;
  readonly iotId: string;
  /** With it a device signs in over MQTT. */
  readonly deviceSecret: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Command ids begin here, far from what devices number themselves. */
const COMMANDS_FROM = 700_000_000;

/** A device as the platform knows it, virtual or real: identity, presence, owners, firmware. */
export class Device {
  readonly product: Product;
  readonly deviceName: string;
  readonly iotId: string;
  readonly deviceSecret: string;
  readonly createdAt: number;
  online = false;
  /** It has been online at least once; before that the platform calls it inactive. */
  activated = false;
  disabled = false;
  /** When the platform last heard of it. */
  lastPacketAt = 0;
  /** Its public address; sub-devices have none of their own. */
  clientIp: string | null = null;
  owner: User | null = null;
  readonly guests: User[] = [];
  firmware = '1.0.0';
  tags: Readonly<Record<string, string>> = {};
  gateway: Device | null = null;
  /** A real device has signed in as this one over MQTT: nothing else may speak for it. See `takeOver`. */
  takenOver = false;
  private requests = 0;
  private commands = 0;

  constructor({ product, deviceName, iotId, deviceSecret, createdAt }: Registration) {
    this.product = product;
    this.deviceName = deviceName;
    this.iotId = iotId;
    this.deviceSecret = deviceSecret;
    this.createdAt = createdAt;
  }

  get productKey(): string {
    return this.product.productKey;
  }

  get voice(): Voice {
    return this.product.voice;
  }

  get key(): string {
    return deviceKey(this.productKey, this.deviceName);
  }

  /** The id of its next uplink, which it numbers itself. */
  nextRequestId(): string {
    return String(++this.requests);
  }

  /** The id of the platform's next command to it: always a number, which fits a double. */
  nextCommandId(): string {
    return String(COMMANDS_FROM + ++this.commands);
  }

  /** A real device signs in as this one: a virtual life of it falls silent. */
  takeOver(): void {
    this.takenOver = true;
  }

  /** The real device has left, and was told offline: a virtual life goes on after a while. */
  release(): void {
    this.takenOver = false;
  }

  /** Where the ids of its requests begin. */
  protected countRequestsFrom(first: number): void {
    this.requests = first;
  }
}

/** `productKey:deviceName`, as the control API writes a device. */
export const deviceKey = (productKey: string, deviceName: string): string => `${productKey}:${deviceName}`;
