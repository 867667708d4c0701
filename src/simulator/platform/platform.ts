import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import { Random } from '../random.js';
import { ConsumerGroup } from './consumer-group.js';
import type { DeliveryRules, GroupRules } from './delivery-rules.js';
import type { DiskQueues } from './disk-queues.js';
import type { Fate } from './fate.js';
import type { Forwarder } from './forwarding.js';
import { MemoryStore } from './memory-store.js';
import { MessageLog } from './message-log.js';
import type { Origin, PlatformMessage, Publication } from './platform-message.js';
import { Routes } from './routes.js';
import { enterpriseGroup, groupIdsOf, livingGroup, type Tenants } from './tenants.js';

export interface PlatformOptions {
  readonly tenants: Tenants;
  readonly rules: DeliveryRules;
  /** Where the groups keep what they are owed; null is in memory. */
  readonly queues: DiskQueues | null;
  readonly seed: string;
  readonly clock: Clock;
  /** The world's time, milliseconds since 1970: of message ids. */
  readonly worldNow: () => number;
  /** How many messages the message log remembers, and how many bytes of bodies. */
  readonly logged: number;
  readonly loggedBytes: number;
  readonly log: Log;
  /** Told of every message, what rules forward included, and of the groups that get it, before any client can hear of it. */
  readonly onPublished: PublishedListener | null;
}

export type PublishedListener = (message: PlatformMessage, groupIds: readonly string[]) => void;

/** The consumer groups of all tenants, and which message goes to which of them. */
export class Platform {
  readonly messages: MessageLog;
  private readonly clock: Clock;
  private readonly forwarders: Forwarder[] = [];
  private readonly groupsById = new Map<string, ConsumerGroup>();
  private routes: (tenant: string | null, topic: string | null) => readonly ConsumerGroup[];
  private lastId: bigint;
  private count = 0;

  constructor(private readonly options: PlatformOptions) {
    const { tenants, clock, logged, loggedBytes } = options;
    this.clock = clock;
    this.lastId = options.queues?.lastId ?? 0n;
    this.messages = new MessageLog(logged, () => clock.now(), loggedBytes);
    const { apps, instances } = tenants.accounts;
    for (const { appKey } of apps) this.addGroup(livingGroup(appKey), 'oldest');
    for (const instance of instances) {
      for (const id of groupIdsOf(instance)) this.addGroup(enterpriseGroup(instance.instanceId, id), 'random');
    }
    this.routes = this.readRoutes();
    tenants.onChange(({ created, deleted }) => {
      for (const id of created) this.addGroup(id, 'random');
      for (const id of deleted) this.removeGroup(id);
      this.routes = this.readRoutes();
    });
  }

  /** By their keys, see `livingGroup` and `enterpriseGroup`. */
  get groups(): ReadonlyMap<string, ConsumerGroup> {
    return this.groupsById;
  }

  /** Messages published so far, each counted once whatever the number of groups; what rules made of them is not. */
  get published(): number {
    return this.count;
  }

  /** Lets rules forward what they make of every message from now on. */
  addForwarder(forwarder: Forwarder): void {
    this.forwarders.push(forwarder);
  }

  /**
   * Queues a message for every group that it concerns and returns the id under which its fate is known. Throws
   * `QueuesUnavailable` where it can no longer be kept.
   */
  publish(publication: Publication): string {
    const failure = this.options.queues?.failure;
    if (failure) throw failure;
    const message = this.message(publication);
    this.count++;
    this.deliver(message, publication.origin ?? null, this.routes(message.tenant, message.topic));
    for (const forwarder of this.forwarders) {
      for (const { group, rule, topic, body, properties = {} } of forwarder.forwards(message, message.tenant)) {
        const origin: Origin = { from: 'rule', by: rule, of: message.id };
        const { tenant } = message;
        const target = this.groups.get(group); // a group may be deleted while a rule still names it
        const forwarded = this.message({ topic, body, tenant, properties });
        this.messages.noted(message.id, `rule ${rule}`, `forwarded to ${group} as message ${forwarded.id}`);
        this.deliver(forwarded, origin, target ? [target] : []);
      }
    }
    return message.id;
  }

  /**
   * A number of 18 digits, as the platform's are: it does not fit a double. By the world's time, so that no id comes again
   * after a restart, wherever the simulated time starts and however fast it runs.
   */
  nextId(): string {
    const first = BigInt(Math.trunc(this.options.worldNow())) * 100_000n;
    this.lastId = first > this.lastId ? first : this.lastId + 1n;
    this.options.queues?.noteId(this.lastId);
    return this.lastId.toString();
  }

  /** What became of a message in one group, or in the group that has done most about it. */
  fate(messageId: string, groupId?: string): Fate | null {
    return this.messages.fate(messageId, groupId);
  }

  group(id: string): ConsumerGroup {
    const group = this.groups.get(id);
    if (!group)
      throw new Error(`No consumer group ${id} in the simulator; there are ${[...this.groups.keys()].join(', ')}`);
    return group;
  }

  /** Sends nothing any more; resolves when queues on disk are written and let go of. */
  async close(): Promise<void> {
    for (const group of this.groups.values()) group.close();
    await this.options.queues?.close();
  }

  private addGroup(id: string, sharing: GroupRules['sharing']): void {
    const { rules, clock, seed, log, queues } = this.options;
    const random = new Random(`${seed}/${id}`);
    const store = queues?.group(id) ?? new MemoryStore();
    this.groupsById.set(id, new ConsumerGroup(id, { ...rules, sharing }, clock, random, this.messages, log, store));
  }

  private removeGroup(id: string): void {
    this.groupsById.get(id)?.delete();
    this.groupsById.delete(id);
    this.options.queues?.forget(id);
  }

  /** The groups that the tenants' accounts of now send a message to; each list of keys is looked up once. */
  private readRoutes(): typeof this.routes {
    const routes = new Routes(this.options.tenants.accounts);
    const lists = new WeakMap<readonly string[], readonly ConsumerGroup[]>();
    return (tenant, topic) => {
      const ids = routes.of(tenant, topic);
      let groups = lists.get(ids);
      if (groups === undefined) {
        groups = ids.map((id) => this.group(id));
        lists.set(ids, groups);
      }
      return groups;
    };
  }

  private message(publication: Publication): PlatformMessage {
    const { topic, body, messageId, generateTime, qos, properties, bodyForm, tenant } = publication;
    const now = this.clock.now();
    return {
      id: messageId ?? this.nextId(),
      anonymous: messageId === null,
      topic,
      body: typeof body === 'string' ? Buffer.from(body, 'utf8') : Buffer.from(body),
      bodyForm: bodyForm ?? 'data',
      generateTime: generateTime === undefined ? now : generateTime,
      qos: qos === undefined ? 1 : qos,
      properties: properties ?? {},
      tenant: tenant ?? null,
      publishedAt: now,
    };
  }

  private deliver(message: PlatformMessage, origin: Origin | null, groups: readonly ConsumerGroup[]): void {
    const groupIds = groups.map(({ id }) => id);
    this.messages.published(message, origin, groupIds);
    this.options.onPublished?.(message, groupIds);
    for (const group of groups) group.publish(message);
  }
}
