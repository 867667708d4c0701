import { Device } from '../devices/device.js';
import type { Product } from '../devices/product.js';
import type { Random } from '../random.js';
import type { Thing } from './thing.js';

/** A device that lives in the simulator alone. */
export class VirtualDevice extends Device {
  /** It has stopped talking, is being updated or disabled: nothing else may happen to it. */
  busy = false;
  /** Counts its firmware updates. */
  version = 0;
  upgrading = false;
  /** A gateway has a visiting sub-device. */
  visited = false;
  /** The values of the last report, as text, to tell what has changed. */
  readonly reported = new Map<string, string>();
  /** Some firmwares send no request id, which the platform forwards as the text "null". */
  private readonly namesRequests: boolean;
  declare gateway: VirtualDevice | null;

  constructor(
    product: Product,
    deviceName: string,
    iotId: string,
    readonly thing: Thing,
    gateway: VirtualDevice | null,
    /** When it was created on the platform: the same at every start, so that telling it again is no news. */
    createdAt: number,
    random: Random,
  ) {
    const first = random.whole(1, 90_000);
    const namesRequests = random.chance(0.7);
    const clientIp = product.role === 'sub-device' ? null : `198.51.100.${random.whole(2, 250)}`;
    super({ product, deviceName, iotId, createdAt, deviceSecret: random.text(32) });
    this.gateway = gateway;
    this.clientIp = clientIp;
    this.namesRequests = namesRequests;
    this.countRequestsFrom(first);
  }

  override nextRequestId(): string {
    const id = super.nextRequestId();
    return this.namesRequests ? id : 'null';
  }

  /** The version it will have after so many more updates. */
  firmwareAfter(updates: number): string {
    const version = this.version + updates;
    return `1.${Math.floor(version / 10)}.${version % 10}`;
  }
}
