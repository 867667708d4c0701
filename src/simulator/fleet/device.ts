import type { Random } from '../random.js';
import type { Product, Voice } from './products.js';
import type { Thing } from './thing.js';

/** A person of the Living platform. */
export interface User {
  readonly identityId: string;
  readonly tenantId: string;
}

/** A virtual device as the platform knows it: identity, presence, owners, firmware. */
export class Device {
  online = false;
  /** It has stopped talking, is being updated or disabled: nothing else may happen to it. */
  busy = false;
  /** When the platform last heard of it. */
  lastPacketAt = 0;
  owner: User | null = null;
  readonly guests: User[] = [];
  /** Counts its firmware updates. */
  version = 0;
  upgrading = false;
  /** A gateway has a visiting sub-device. */
  visited = false;
  /** The values of the last report, as text, to tell what has changed. */
  readonly reported = new Map<string, string>();
  private requests: number;
  /** Some firmwares send no request id, which the platform forwards as the text "null". */
  private readonly namesRequests: boolean;

  constructor(
    readonly product: Product,
    readonly voice: Voice,
    readonly deviceName: string,
    readonly iotId: string,
    readonly thing: Thing,
    readonly gateway: Device | null,
    /** When it was created on the platform: the same at every start, so that telling it again is no news. */
    readonly createdAt: number,
    random: Random,
  ) {
    this.requests = random.whole(1, 90_000);
    this.namesRequests = random.chance(0.7);
    this.clientIp = product.role === 'sub-device' ? null : `198.51.100.${random.whole(2, 250)}`;
  }

  /** Sub-devices have none of their own. */
  readonly clientIp: string | null;

  get productKey(): string {
    return this.product.productKey;
  }

  nextRequestId(): string {
    this.requests++;
    return this.namesRequests ? String(this.requests) : 'null';
  }

  get firmware(): string {
    return this.firmwareAfter(0);
  }

  /** The version it will have after so many more updates. */
  firmwareAfter(updates: number): string {
    const version = this.version + updates;
    return `1.${Math.floor(version / 10)}.${version % 10}`;
  }
}
