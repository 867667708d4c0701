import { Device, type Registration } from '../devices/device.js';
import type { Json } from '../devices/json.js';
import type { Random } from '../random.js';
import type { Thing } from './thing.js';

/** What a virtual device is beside what the platform knows of it. */
export interface VirtualLife {
  readonly thing: Thing;
  readonly gateway: VirtualDevice | null;
  /** Of this device alone, so that the lives of others do not change it. */
  readonly random: Random;
  /** Called when a real device that had signed in as this one has left. */
  readonly onRelease: (device: VirtualDevice) => void;
}

/** A device that lives in the simulator alone. */
export class VirtualDevice extends Device {
  /** It has stopped talking, is away or disabled: nothing else may happen to it. */
  busy = false;
  /** Counts its firmware updates. */
  version = 0;
  upgrading = false;
  /** A gateway has a visiting sub-device. */
  visited = false;
  readonly thing: Thing;
  /** Behind it, when it is a gateway. */
  readonly subDevices: VirtualDevice[] = [];
  /** MQTT keep-alive it has asked for. */
  readonly keepAliveMs: number;
  /** The values of the last report, to tell what has changed. */
  readonly reported = new Map<string, Json>();
  /** Some firmwares send no request id, which the platform forwards as the text "null". */
  private readonly namesRequests: boolean;
  private readonly onRelease: (device: VirtualDevice) => void;
  declare gateway: VirtualDevice | null;

  constructor(registration: Registration, { thing, gateway, random, onRelease }: VirtualLife) {
    super(registration);
    this.thing = thing;
    this.gateway = gateway;
    this.clientIp = registration.product.role === 'sub-device' ? null : `198.51.100.${random.whole(2, 250)}`;
    this.namesRequests = random.chance(0.7);
    this.keepAliveMs = random.pick([60_000, 60_000, 60_000, 120_000]);
    this.onRelease = onRelease;
    this.countRequestsFrom(random.whole(1, 90_000));
  }

  /** Online and free for whatever may happen next. */
  get awake(): boolean {
    return this.online && !this.busy && !this.takenOver;
  }

  override nextRequestId(): string {
    const id = super.nextRequestId();
    return this.namesRequests ? id : 'null';
  }

  override takeOver(): void {
    super.takeOver();
    this.busy = false;
    this.upgrading = false;
  }

  override release(): void {
    super.release();
    this.onRelease(this);
  }

  /** The version it will have after so many more updates. */
  firmwareAfter(updates: number): string {
    const version = this.version + updates;
    return `1.${Math.floor(version / 10)}.${version % 10}`;
  }
}
