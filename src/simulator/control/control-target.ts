import type { Clock } from '../clock.js';
import type { Registry } from '../devices/registry.js';
import type { Downlinks } from '../devices/downlink.js';
import type { ConsumerGroup } from '../platform/consumer-group.js';
import type { MessageLog } from '../platform/message-log.js';
import type { Publication } from '../platform/platform-message.js';
import type { FaultEngine } from '../faults/fault-engine.js';
import type { Tenants } from '../platform/tenants.js';

/** What the control API shows and moves; the simulator itself. */
export interface ControlTarget {
  readonly clock: Clock;
  readonly tenants: Tenants;
  readonly faults: FaultEngine;
  readonly registry: Registry;
  readonly downlinks: Downlinks;
  readonly groups: ReadonlyMap<string, ConsumerGroup>;
  readonly messages: MessageLog;
  /** Messages published, each counted once. */
  readonly published: number;
  /** Open connections, signed in or not. */
  readonly connections: number;
  readonly logins: { readonly admitted: number; readonly refused: number };
  publish(publication: Publication): string;
}
