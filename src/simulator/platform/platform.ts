import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import { Random } from '../random.js';
import { ConsumerGroup, type GroupRules } from './consumer-group.js';
import type { Fate } from './fate.js';
import type { Forwarder } from './forwarding.js';
import { MessageLog } from './message-log.js';
import type { Origin, PlatformMessage, Publication } from './platform-message.js';
import { DEFAULT_GROUP, enterpriseGroup, livingGroup, type Accounts } from './tenants.js';

export interface PlatformOptions {
  readonly accounts: Accounts;
  readonly rules: Omit<GroupRules, 'sharing'>;
  readonly seed: string;
  readonly clock: Clock;
  /** How many messages the message log remembers, and how many bytes of bodies. */
  readonly logged: number;
  readonly loggedBytes: number;
  readonly log: Log;
}

/** The consumer groups of all tenants, and which message goes to which of them. */
export class Platform {
  readonly groups: ReadonlyMap<string, ConsumerGroup>;
  readonly messages: MessageLog;
  private readonly clock: Clock;
  private readonly forwarders: Forwarder[] = [];
  private lastId = 0n;
  private count = 0;

  constructor({ accounts, rules, seed, clock, logged, loggedBytes, log }: PlatformOptions) {
    this.clock = clock;
    this.messages = new MessageLog(logged, () => clock.now(), loggedBytes);
    const groups = new Map<string, ConsumerGroup>();
    const add = (id: string, sharing: GroupRules['sharing']): void => {
      const random = new Random(`${seed}/${id}`);
      groups.set(id, new ConsumerGroup(id, { ...rules, sharing }, clock, random, this.messages, log));
    };
    for (const { appKey } of accounts.apps) add(livingGroup(appKey), 'oldest');
    for (const { instanceId, consumerGroupIds } of accounts.instances) {
      for (const id of [DEFAULT_GROUP, ...consumerGroupIds]) add(enterpriseGroup(instanceId, id), 'random');
    }
    this.groups = groups;
  }

  /** Messages published so far, each counted once whatever the number of groups; what rules made of them is not. */
  get published(): number {
    return this.count;
  }

  /** Lets rules forward what they make of every message from now on. */
  addForwarder(forwarder: Forwarder): void {
    this.forwarders.push(forwarder);
  }

  /** Queues a message for every group that it concerns and returns the id under which its fate is known. */
  publish(publication: Publication): string {
    const message = this.message(publication);
    this.count++;
    this.deliver(message, publication.origin ?? null, [...this.groups.values()]);
    for (const forwarder of this.forwarders) {
      for (const { group, rule, topic, body } of forwarder.forwards(message, message.tenant)) {
        const origin: Origin = { from: 'rule', by: rule };
        const { tenant } = message;
        this.deliver(this.message({ topic, body, tenant }), origin, [this.group(group)]);
      }
    }
    return message.id;
  }

  /** A number of 18 digits, as the platform's are: it does not fit a double. Grows with time, also over restarts. */
  nextId(now: number): string {
    const first = BigInt(Math.trunc(now)) * 100_000n;
    this.lastId = first > this.lastId ? first : this.lastId + 1n;
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

  close(): void {
    for (const group of this.groups.values()) group.close();
  }

  private message(publication: Publication): PlatformMessage {
    const { topic, body, messageId, generateTime, qos, properties, bodyForm, tenant } = publication;
    const now = this.clock.now();
    return {
      id: messageId ?? this.nextId(now),
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
    this.messages.published(
      message,
      origin,
      groups.map(({ id }) => id),
    );
    for (const group of groups) group.publish(message);
  }
}
