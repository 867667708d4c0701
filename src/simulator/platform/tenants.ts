import type { Flag } from './topic.js';

/** A Living project: the cloud-side AppKey names its one implicit consumer group too. */
export interface LivingApp {
  readonly appKey: string;
  readonly appSecret: string;
  /** The data sync switch (protocol 4.3, 10); on when absent. */
  readonly sync?: boolean;
  /** Keys of the products that are not synchronised; all others are. */
  readonly exclude?: readonly string[];
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Present for a temporary credential, which signs in with `ststoken`. */
  readonly securityToken?: string;
  /** When a temporary credential ends, milliseconds since 1970; never when absent. */
  readonly expiresAt?: number;
  /** Whether its owner has the permission `iot:sub` (protocol 1.4); true when absent. */
  readonly mayConsume?: boolean;
}

/** Which messages of a product go to which consumer groups (protocol 10). */
export interface Subscription {
  readonly product: string;
  readonly messages: readonly Flag[];
  readonly groups: readonly string[];
}

/** An Enterprise instance. DEFAULT_GROUP exists in each without being named. */
export interface EnterpriseInstance {
  /** Empty for a legacy public instance, whose clients leave it out. */
  readonly instanceId: string;
  readonly accessKeys: readonly AccessKey[];
  readonly consumerGroupIds: readonly string[];
  /** Absent, every group gets everything of the instance, which no real one does: for demos and tests. */
  readonly subscriptions?: readonly Subscription[];
}

/** Everybody who may sign in, and what they subscribe to. Plain data; what changes while running is in `Tenants`. */
export interface Accounts {
  readonly apps: readonly LivingApp[];
  readonly instances: readonly EnterpriseInstance[];
  /** Refuse a `timestamp` further away than this from now, in either direction; null never does (protocol 1.6). */
  readonly freshnessWindowMs: number | null;
  /** The same for `random`, in which field clients pass the time too; false when absent. */
  readonly freshRandom?: boolean;
}

export const DEFAULT_GROUP = 'DEFAULT_GROUP';

export const livingGroup = (appKey: string): string => `living/${appKey}`;
export const enterpriseGroup = (instanceId: string, consumerGroupId: string): string =>
  `enterprise/${instanceId}/${consumerGroupId}`;

/** Keys of tenants: who a product, its messages and a rule belong to. */
export const livingTenant = (appKey: string): string => `living/${appKey}`;
export const enterpriseTenant = (instanceId: string): string => `enterprise/${instanceId}`;

/** How many groups there may be (protocol 9); null is no limit. */
export interface GroupLimits {
  readonly groupsOfProduct: number | null;
  readonly groupsOfAccount: number | null;
}

/** The platform's own numbers. */
export const GROUP_LIMITS: GroupLimits = { groupsOfProduct: 10, groupsOfAccount: 1_000 };
export const NO_GROUP_LIMITS: GroupLimits = { groupsOfProduct: null, groupsOfAccount: null };

/** A change of a tenant, or the accounts to start with, cannot be. The message says of what, and why. */
export class TenantError extends Error {
  override readonly name = 'TenantError';
  constructor(
    message: string,
    /** What it is about is not there, is there already, or is wrong or over a limit. */
    readonly kind: 'unknown' | 'taken' | 'invalid' | 'limit' = 'invalid',
  ) {
    super(message);
  }
}

/** What the platform and the door hear of a change. */
export interface TenantChange {
  /** Keys of consumer groups, see `livingGroup` and `enterpriseGroup`. */
  readonly created: readonly string[];
  readonly deleted: readonly string[];
  /** Groups whose clients receive nothing any more until they connect again (protocol 4.3). */
  readonly deafened: readonly string[];
}

const NOTHING: TenantChange = { created: [], deleted: [], deafened: [] };

/** Consumer groups of an instance, the built-in one first. */
export const groupIdsOf = ({ consumerGroupIds }: EnterpriseInstance): readonly string[] => [
  DEFAULT_GROUP,
  ...consumerGroupIds,
];

/**
 * The tenants as they are now. Each change replaces `accounts`, so that whoever looked at it before sees what was; and tells
 * the listeners, in the order in which they came.
 */
export class Tenants {
  private current: Accounts;
  private readonly listeners: ((change: TenantChange) => void)[] = [];

  /** `makeSecret` invents what a secret is rotated to. Throws `TenantError` about accounts that cannot be. */
  constructor(
    accounts: Accounts,
    private readonly limits: GroupLimits,
    private readonly makeSecret: () => string,
  ) {
    for (const problem of problemsOf(accounts, limits)) throw new TenantError(problem.text, problem.kind);
    this.current = accounts;
  }

  /** Everybody, with their secrets: for checking a sign-in, not for showing. */
  get accounts(): Accounts {
    return this.current;
  }

  onChange(listener: (change: TenantChange) => void): void {
    this.listeners.push(listener);
  }

  app(appKey: string): LivingApp {
    return found(
      this.current.apps.find((app) => app.appKey === appKey),
      `No Living app ${appKey}`,
    );
  }

  instance(instanceId: string): EnterpriseInstance {
    return found(
      this.current.instances.find((instance) => instance.instanceId === instanceId),
      `No Enterprise instance ${JSON.stringify(instanceId)}`,
    );
  }

  /**
   * Switches the data sync of a Living app. Its clients stay connected and receive nothing, also once it is on again, until
   * they reconnect (protocol 4.3). What is published while it is off never reaches the group.
   */
  setSync(appKey: string, on: boolean): void {
    if ((this.app(appKey).sync ?? true) === on) return;
    this.changeApp(appKey, (app) => ({ ...app, sync: on }), { ...NOTHING, deafened: [livingGroup(appKey)] });
  }

  /** False for the group of a Living app whose data sync is off. */
  isSynchronised(group: string): boolean {
    return this.current.apps.every(({ appKey, sync = true }) => sync || livingGroup(appKey) !== group);
  }

  /** Says which products of a Living app are not synchronised. */
  setExcluded(appKey: string, products: readonly string[]): void {
    this.changeApp(appKey, (app) => ({ ...app, exclude: [...products] }));
  }

  createGroup(instanceId: string, consumerGroupId: string): void {
    if (!/^[^|,/\s]{1,64}$/.test(consumerGroupId)) {
      throw new TenantError('A consumer group id must have 1 to 64 characters without |, comma, slash and space');
    }
    if (groupIdsOf(this.instance(instanceId)).includes(consumerGroupId)) {
      throw new TenantError(`Consumer group ${consumerGroupId} exists in this instance already`, 'taken');
    }
    this.changeInstance(
      instanceId,
      (instance) => ({ ...instance, consumerGroupIds: [...instance.consumerGroupIds, consumerGroupId] }),
      { ...NOTHING, created: [enterpriseGroup(instanceId, consumerGroupId)] },
    );
  }

  /** Deletes a group with all it holds; its clients are disconnected and it leaves every subscription. */
  deleteGroup(instanceId: string, consumerGroupId: string): void {
    if (consumerGroupId === DEFAULT_GROUP) throw new TenantError('DEFAULT_GROUP cannot be deleted');
    if (!this.instance(instanceId).consumerGroupIds.includes(consumerGroupId)) {
      throw new TenantError(`No consumer group ${consumerGroupId} in this instance`, 'unknown');
    }
    this.changeInstance(
      instanceId,
      (instance) => ({
        ...instance,
        consumerGroupIds: instance.consumerGroupIds.filter((id) => id !== consumerGroupId),
        ...(instance.subscriptions
          ? {
              subscriptions: instance.subscriptions
                .map((one) => ({ ...one, groups: one.groups.filter((id) => id !== consumerGroupId) }))
                .filter(({ groups }) => groups.length > 0),
            }
          : {}),
      }),
      { ...NOTHING, deleted: [enterpriseGroup(instanceId, consumerGroupId)] },
    );
  }

  /**
   * Subscribes groups to messages of a product, in place of what that product was subscribed to. The first subscription of an
   * instance that delivered everything to everybody ends that.
   */
  subscribe(instanceId: string, subscription: Subscription): void {
    this.changeInstance(instanceId, (instance) => ({
      ...instance,
      subscriptions: [
        ...(instance.subscriptions ?? []).filter(({ product }) => product !== subscription.product),
        subscription,
      ],
    }));
  }

  unsubscribe(instanceId: string, product: string): void {
    const { subscriptions = [] } = this.instance(instanceId);
    const rest = subscriptions.filter((one) => one.product !== product);
    if (rest.length === subscriptions.length) {
      throw new TenantError(`Product ${product} has no subscription in this instance`, 'unknown');
    }
    this.changeInstance(instanceId, (instance) => ({ ...instance, subscriptions: rest }));
  }

  /**
   * Gives a tenant's key (all its keys, without `keyId`) another secret: `secret`, or an invented one. Connections that are
   * open stay. `restore` brings the former ones back.
   */
  rotateSecrets(tenant: string, keyId?: string, secret?: string): { restore(): void } {
    if (secret === '') throw new TenantError('A secret must not be empty');
    const before = new Map<string, string>();
    const next = (id: string, former: string): string => {
      if (keyId !== undefined && keyId !== id) return former;
      before.set(id, former);
      return secret ?? this.makeSecret();
    };
    const replace = (secretOf: (id: string, former: string) => string): void => {
      this.replace({
        ...this.current,
        apps: this.current.apps.map((app) =>
          livingTenant(app.appKey) === tenant ? { ...app, appSecret: secretOf(app.appKey, app.appSecret) } : app,
        ),
        instances: this.current.instances.map((instance) =>
          enterpriseTenant(instance.instanceId) === tenant
            ? {
                ...instance,
                accessKeys: instance.accessKeys.map((key) => ({
                  ...key,
                  accessKeySecret: secretOf(key.accessKeyId, key.accessKeySecret),
                })),
              }
            : instance,
        ),
      });
    };
    replace(next);
    if (before.size === 0) throw new TenantError(`No key ${keyId ?? ''} of tenant ${tenant}`, 'unknown');
    return { restore: () => replace((id, now) => before.get(id) ?? now) };
  }

  private changeApp(appKey: string, change: (app: LivingApp) => LivingApp, said = NOTHING): void {
    this.app(appKey);
    const apps = this.current.apps.map((app) => (app.appKey === appKey ? change(app) : app));
    this.replace({ ...this.current, apps }, said);
  }

  private changeInstance(
    instanceId: string,
    change: (instance: EnterpriseInstance) => EnterpriseInstance,
    said = NOTHING,
  ): void {
    this.instance(instanceId);
    const instances = this.current.instances.map((one) => (one.instanceId === instanceId ? change(one) : one));
    this.replace({ ...this.current, instances }, said);
  }

  private replace(next: Accounts, said = NOTHING): void {
    for (const problem of problemsOf(next, this.limits)) throw new TenantError(problem.text, problem.kind);
    this.current = next;
    for (const listener of this.listeners) listener(said);
  }
}

/** Something that is wrong with accounts, and where: `apps` or `instances`, an index, and so on. */
export interface AccountProblem {
  readonly path: readonly (string | number)[];
  readonly text: string;
  readonly kind: 'taken' | 'invalid' | 'limit' | 'unknown';
}

/** What accounts of the right shape can still have wrong, in their order. */
export function problemsOf({ apps, instances }: Accounts, limits: GroupLimits): AccountProblem[] {
  const problems: AccountProblem[] = [];
  const twice = (ids: readonly string[], where: (index: number) => AccountProblem['path'], what: string): void => {
    ids.forEach((id, index) => {
      if (ids.indexOf(id) < index)
        problems.push({ path: where(index), text: `${what} ${JSON.stringify(id)} is there twice`, kind: 'taken' });
    });
  };
  twice(
    apps.map(({ appKey }) => appKey),
    (index) => ['apps', index, 'appKey'],
    'appKey',
  );
  twice(
    instances.map(({ instanceId }) => instanceId),
    (index) => ['instances', index, 'instanceId'],
    'instanceId',
  );
  instances.forEach((instance, index) => {
    const at = (...path: (string | number)[]): AccountProblem['path'] => ['instances', index, ...path];
    const groupIds = groupIdsOf(instance);
    twice(
      instance.accessKeys.map(({ accessKeyId }) => accessKeyId),
      (key) => at('accessKeys', key, 'accessKeyId'),
      'AccessKey',
    );
    twice(groupIds, (group) => at('consumerGroupIds', Math.max(0, group - 1)), 'consumer group');
    const subscriptions = instance.subscriptions ?? [];
    twice(
      subscriptions.map(({ product }) => product),
      (one) => at('subscriptions', one, 'product'),
      'the subscription of product',
    );
    subscriptions.forEach(({ product, messages, groups }, one) => {
      groups.forEach((group, place) => {
        if (groupIds.includes(group)) return;
        const text = `there is no consumer group ${JSON.stringify(group)} in this instance`;
        problems.push({ path: at('subscriptions', one, 'groups', place), text, kind: 'unknown' });
      });
      twice(groups, (place) => at('subscriptions', one, 'groups', place), 'consumer group');
      if (messages.length === 0) {
        const text = 'a subscription names at least one message type';
        problems.push({ path: at('subscriptions', one, 'messages'), text, kind: 'invalid' });
      }
      const { groupsOfProduct: most } = limits;
      if (most !== null && groups.length > most) {
        const text = `product ${product} has ${groups.length} consumer groups; the limit "groups of a product" is ${most}`;
        problems.push({ path: at('subscriptions', one, 'groups'), text, kind: 'limit' });
      }
    });
    const { groupsOfAccount: most } = limits;
    if (most !== null && groupIds.length > most) {
      const name = JSON.stringify(instance.instanceId);
      const text = `instance ${name} has ${groupIds.length} consumer groups; the limit "consumer groups of an account" is ${most}`;
      problems.push({ path: at('consumerGroupIds'), text, kind: 'limit' });
    }
  });
  return problems;
}

function found<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw new TenantError(otherwise, 'unknown');
  return value;
}
