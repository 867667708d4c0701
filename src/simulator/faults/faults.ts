import type { Publication } from '../platform/platform-message.js';
import type { Random } from '../random.js';

export const FAULTS = ['duplicates', 'shuffle', 'poison', 'disconnects'] as const;
export type Fault = (typeof FAULTS)[number];

export interface FaultActions {
  /** Publishes and returns the message's id. */
  publish(publication: Publication): string;
  dropConnections(): void;
}

const WINDOW = 20;

/** What no decoder likes, on topics where it is not expected; and topics that nobody knows. */
const POISON: readonly ((random: Random) => Publication)[] = [
  () => ({ topic: '/a1DemoLock1/lock-001/thing/event/property/post', body: '{"items":{"LockState":' }),
  () => ({ topic: '/a1DemoAir02/purifier-001/thing/event/property/post', body: '' }),
  () => ({ topic: '/a1DemoHeat3/thermostat-001/thing/event/property/post', body: '[1,2,3]' }),
  (random) => ({ topic: '/h9DemoMete4/meter-001/thing/lifecycle', body: bytes(random, 64) }),
  () => ({ topic: '/mqtt/status/a1DemoLock1/lock-001', body: '{"status":{"value":7,"time":"soon"},"action":[]}' }),
  () => ({ topic: '/h9DemoGate5/gateway-001/thing/topo/lifecycle', body: `${'['.repeat(5_000)}${']'.repeat(5_000)}` }),
  () => ({ topic: 'no/such/topic', body: '{"productKey":7}' }),
  () => ({ topic: null, body: '{}', messageId: null, generateTime: null }),
];

function bytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.whole(0, 255));
}

/** Spoils the stream of messages on its way to the groups. Goes by message counts, not by time, so a run can be repeated. */
export class Faults {
  private readonly held: Publication[] = [];
  private readonly again: { readonly after: number; readonly publication: Publication }[] = [];
  private count = 0;
  private nextDrop: number;

  constructor(
    private readonly faults: ReadonlySet<Fault>,
    private readonly random: Random,
    private readonly actions: FaultActions,
  ) {
    this.nextDrop = random.whole(100, 400);
  }

  pass(publication: Publication): void {
    if (!this.faults.has('shuffle')) return this.spoil(publication);
    this.held.push(publication);
    if (this.held.length < WINDOW) return;
    const [released] = this.held.splice(this.random.whole(0, this.held.length - 1), 1);
    if (released) this.spoil(released);
  }

  private spoil(publication: Publication): void {
    this.count++;
    const messageId = this.actions.publish(publication);
    if (this.faults.has('duplicates')) {
      if (this.random.chance(0.1)) {
        this.again.push({
          after: this.count + this.random.whole(0, WINDOW),
          publication: { ...publication, messageId },
        });
      }
      while (this.again[0] && this.again[0].after <= this.count) {
        const repeated = this.again.shift();
        if (repeated) this.actions.publish(repeated.publication);
      }
    }
    if (this.faults.has('poison') && this.random.chance(0.02)) {
      this.actions.publish(this.random.pick(POISON)(this.random));
    }
    if (this.faults.has('disconnects') && this.count >= this.nextDrop) {
      this.nextDrop = this.count + this.random.whole(100, 400);
      this.actions.dropConnections();
    }
  }
}
