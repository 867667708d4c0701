import { ConsumerGroup, type Fate, type GroupRules } from './consumer-group.js';
import { DEFAULT_GROUP, enterpriseGroup, livingGroup, type Accounts } from './credentials.js';
import type { Log } from './log.js';
import type { PlatformMessage, Publication } from './platform-message.js';
import { Random } from './random.js';

export interface PlatformOptions {
  readonly accounts: Accounts;
  readonly rules: Omit<GroupRules, 'sharing'>;
  readonly seed: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Log;
}

/** The consumer groups of all accounts. Every message goes to every group, each having a copy of its own (protocol 4.1). */
export class Platform {
  readonly groups: ReadonlyMap<string, ConsumerGroup>;
  private readonly clock: () => number;
  private lastId = 0n;
  private count = 0;

  constructor({ accounts, rules, seed, clock, log }: PlatformOptions) {
    this.clock = clock;
    const groups = new Map<string, ConsumerGroup>();
    const add = (id: string, sharing: GroupRules['sharing']): void => {
      groups.set(id, new ConsumerGroup(id, { ...rules, sharing }, clock, new Random(`${seed}/${id}`), log));
    };
    for (const { appKey } of accounts.apps) add(livingGroup(appKey), 'oldest');
    for (const { instanceId, consumerGroupIds } of accounts.instances) {
      for (const id of [DEFAULT_GROUP, ...consumerGroupIds]) add(enterpriseGroup(instanceId, id), 'random');
    }
    this.groups = groups;
  }

  /** Messages published so far, each counted once whatever the number of groups. */
  get published(): number {
    return this.count;
  }

  /** Queues a message for every group and returns the id under which its fate is known. */
  publish(publication: Publication): string {
    const { topic, body, messageId, generateTime, qos, properties, bodyForm } = publication;
    const now = this.clock();
    const message: PlatformMessage = {
      id: messageId ?? this.nextId(now),
      anonymous: messageId === null,
      topic,
      body: typeof body === 'string' ? Buffer.from(body, 'utf8') : Buffer.from(body),
      bodyForm: bodyForm ?? 'data',
      generateTime: generateTime === undefined ? now : generateTime,
      qos: qos === undefined ? 1 : qos,
      properties: properties ?? {},
      publishedAt: now,
    };
    this.count++;
    for (const group of this.groups.values()) group.publish(message);
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
    if (groupId !== undefined) return this.group(groupId).fate(messageId);
    const fates = [...this.groups.values()].flatMap((group) => group.fate(messageId) ?? []);
    return fates.sort((a, b) => b.deliveries - a.deliveries)[0] ?? null;
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
}
