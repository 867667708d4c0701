import type { Device } from './device.js';
import type { Json } from './json.js';
import { downlinkReply } from './messages.js';
import type { Publication } from '../platform/platform-message.js';

/** A command from the cloud to a device: setting properties, or calling a service of its model. */
export interface Command {
  /** The message id between cloud and device, which the reply carries. */
  readonly requestId: string;
  /** `property/set`, or the identifier of a service. */
  readonly service: string;
  readonly params: Readonly<Record<string, Json>>;
}

/** Something that reaches devices: the fleet its virtual ones, the MQTT door those that are connected. */
export interface DownlinkRoute {
  /** Whether the command was handed over; the device answers, or not, in its own time. */
  send(device: Device, command: Command): boolean;
}

/** Takes commands to devices and answers in place of those that cannot be reached (protocol 7.3). */
export class Downlinks {
  private readonly routes: DownlinkRoute[] = [];

  constructor(
    private readonly publish: (publication: Publication) => string,
    private readonly now: () => number,
  ) {}

  /** A route added later is asked first. */
  add(route: DownlinkRoute): void {
    this.routes.unshift(route);
  }

  /** Sends a command and returns its request id. What became of it arrives as a message, as on the platform. */
  send(device: Device, service: string, params: Readonly<Record<string, Json>>): string {
    const command = { requestId: device.nextCommandId(), service, params };
    if (!device.activated) this.refuse(device, command, 9_200, 'device not actived');
    else if (!this.routes.some((route) => route.send(device, command))) {
      this.refuse(device, command, 9_201, 'device offline');
    }
    return command.requestId;
  }

  private refuse(device: Device, { requestId, service }: Command, code: number, message: string): void {
    this.publish(downlinkReply(device, { requestId, service, code, message, data: {} }, this.now()));
  }
}
