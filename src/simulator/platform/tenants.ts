/** A Living project: the cloud-side AppKey names its one implicit consumer group too. */
export interface LivingApp {
  readonly appKey: string;
  readonly appSecret: string;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Present for a temporary credential, which signs in with `ststoken`. */
  readonly securityToken?: string;
}

/** An Enterprise instance. DEFAULT_GROUP exists in each without being named. */
export interface EnterpriseInstance {
  /** Empty for a legacy public instance, whose clients leave it out. */
  readonly instanceId: string;
  readonly accessKeys: readonly AccessKey[];
  readonly consumerGroupIds: readonly string[];
}

/** Everybody who may sign in. */
export interface Accounts {
  readonly apps: readonly LivingApp[];
  readonly instances: readonly EnterpriseInstance[];
  /** Refuse a `timestamp` further away than this from now, in either direction; null never does (protocol 1.6). */
  readonly freshnessWindowMs: number | null;
}

export const DEFAULT_GROUP = 'DEFAULT_GROUP';

export const livingGroup = (appKey: string): string => `living/${appKey}`;
export const enterpriseGroup = (instanceId: string, consumerGroupId: string): string =>
  `enterprise/${instanceId}/${consumerGroupId}`;

/** Keys of tenants: who a product, its messages and a rule belong to. */
export const livingTenant = (appKey: string): string => `living/${appKey}`;
export const enterpriseTenant = (instanceId: string): string => `enterprise/${instanceId}`;
