import { enterpriseGroup, enterpriseTenant, groupIdsOf, livingGroup, livingTenant, type Accounts } from './tenants.js';
import { readTopic, type Flag } from './topic.js';

/** One consumer group with what it takes. */
interface Taker {
  readonly group: string;
  readonly tenant: string;
  /** Whether it takes messages of this type of a product; null where it takes everything, whatever the topic. */
  readonly takes: ((product: string, flag: Flag) => boolean) | null;
  /** An app's excluded products do not concern a topic that names none. */
  readonly takesUnknown: boolean;
}

const NOBODY: readonly string[] = [];

/**
 * Which consumer groups get a message, by its tenant and topic (protocol 4.3, 6, 10): the Living app while its data sync is
 * on, all its products but the excluded ones; the groups of an Enterprise instance by product and message type. Made anew
 * after each change of the accounts.
 */
export class Routes {
  private readonly takers: readonly Taker[];
  /** By tenant, where all that take anything of it take everything: no look at the topic is needed. */
  private readonly takingAll = new Map<string | null, readonly string[] | null>();
  private readonly known = new Map<string, readonly string[]>();

  constructor(accounts: Accounts) {
    this.takers = [...livingTakers(accounts), ...enterpriseTakers(accounts)];
  }

  /** Keys of the groups, see `livingGroup`. Without a tenant the message is everybody's. */
  of(tenant: string | null, topic: string | null): readonly string[] {
    let all = this.takingAll.get(tenant);
    if (all === undefined) {
      const own = this.takersOf(tenant);
      all = own.every(({ takes }) => takes === null) ? own.map(({ group }) => group) : null;
      // Tenants come from publications, so an unknown one is not remembered.
      if (own.length > 0) this.takingAll.set(tenant, all);
    }
    if (all !== null) return all;
    const facts = topic === null ? null : readTopic(topic);
    if (facts === null) {
      return this.takersOf(tenant)
        .filter(({ takesUnknown }) => takesUnknown)
        .map(({ group }) => group);
    }
    const key = `${tenant ?? ''}\n${facts.productKey}\n${facts.flag}`;
    let groups = this.known.get(key);
    if (groups === undefined) {
      groups = this.takersOf(tenant)
        .filter(({ takes }) => takes === null || takes(facts.productKey, facts.flag))
        .map(({ group }) => group);
      if (groups.length === 0) groups = NOBODY;
      if (this.known.size < MAX_KNOWN) this.known.set(key, groups);
    }
    return groups;
  }

  private takersOf(tenant: string | null): readonly Taker[] {
    return tenant === null ? this.takers : this.takers.filter((taker) => taker.tenant === tenant);
  }
}

/** Topics can name any product (faults invent some), and each is remembered only so long as there are few. */
const MAX_KNOWN = 10_000;

function livingTakers({ apps }: Accounts): Taker[] {
  return apps.flatMap(({ appKey, sync = true, exclude = [] }): Taker[] => {
    if (!sync) return [];
    const excluded = new Set(exclude);
    return [
      {
        group: livingGroup(appKey),
        tenant: livingTenant(appKey),
        takes: excluded.size === 0 ? null : (product) => !excluded.has(product),
        takesUnknown: true,
      },
    ];
  });
}

function enterpriseTakers({ instances }: Accounts): Taker[] {
  return instances.flatMap((instance) => {
    const tenant = enterpriseTenant(instance.instanceId);
    return groupIdsOf(instance).map((id): Taker => {
      const group = enterpriseGroup(instance.instanceId, id);
      const { subscriptions } = instance;
      if (subscriptions === undefined) return { group, tenant, takes: null, takesUnknown: true };
      const subscribed = new Set(
        subscriptions
          .filter(({ groups }) => groups.includes(id))
          .flatMap(({ product, messages }) => messages.map((flag) => `${product}\n${flag}`)),
      );
      return { group, tenant, takes: (product, flag) => subscribed.has(`${product}\n${flag}`), takesUnknown: false };
    });
  });
}
