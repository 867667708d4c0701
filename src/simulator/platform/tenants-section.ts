import { z } from 'zod';
import { DEFAULT_GROUP, problemsOf, type Accounts, type GroupLimits } from './tenants.js';
import { FLAGS } from './topic.js';

/** Text as people forget to quote it: 90001234 is a number in YAML, and 0012 another one than it looks like. */
const text = (what: string, rule: RegExp, expected: string): z.ZodString =>
  z
    .string({
      error: ({ input }) => (input === undefined ? `${what} is missing` : `${what} must be text; put it in quotes`),
    })
    .regex(rule, `${what} must be ${expected}`);
const id = (what: string): z.ZodString =>
  text(what, /^[^|,/\s]{1,128}$/, '1 to 128 characters without |, comma, slash and space');
const secret = (what: string): z.ZodString => text(what, /^[^]{1,4096}$/, '1 to 4,096 characters');

const livingApp = z.strictObject({
  appKey: id('appKey'),
  appSecret: secret('appSecret'),
  sync: z.boolean().default(true),
  exclude: z.array(id('a product key')).default([]),
});

const accessKey = z
  .strictObject({
    id: id('id'),
    secret: secret('secret'),
    securityToken: text('securityToken', /^[^|,\s]{1,4096}$/, 'text without |, comma and space').optional(),
    expiresAt: z.iso
      .datetime({ offset: true, error: 'expiresAt must be a time such as 2030-01-01T00:00:00Z' })
      .optional(),
    mayConsume: z.boolean().default(true),
  })
  .refine(({ securityToken, expiresAt }) => expiresAt === undefined || securityToken !== undefined, {
    error: 'only a temporary credential, which has a securityToken, expires',
    path: ['expiresAt'],
  });

const subscription = z.strictObject({
  product: id('product'),
  messages: z.array(z.enum(FLAGS, { error: `a message type is one of ${FLAGS.join(', ')}` })),
  groups: z.array(id('a consumer group')).default([DEFAULT_GROUP]),
});

const instance = z.strictObject({
  instanceId: z.union([z.literal(''), id('instanceId')], { error: 'instanceId must be text; put it in quotes' }),
  accessKeys: z.array(accessKey).min(1, 'an instance needs at least one AccessKey'),
  consumerGroups: z.array(id('a consumer group')).default([]),
  subscriptions: z.array(subscription).optional(),
});

/** Where the parts of `Accounts` stand in a world file. */
const IN_THE_FILE: Readonly<Record<string, string>> = {
  apps: 'living',
  instances: 'enterprise',
  accessKeyId: 'id',
  consumerGroupIds: 'consumerGroups',
};

/**
 * The `tenants:` of a world file: `living` apps and `enterprise` instances, as plain accounts that never judge how fresh a
 * signature is. What is twice, names no group or breaks a limit is an error at its place.
 */
export function tenantsSection(limits: GroupLimits): z.ZodType<Accounts> {
  return z
    .strictObject({ living: z.array(livingApp).default([]), enterprise: z.array(instance).default([]) })
    .transform(({ living, enterprise }, context): Accounts => {
      const accounts: Accounts = {
        apps: living,
        instances: enterprise.map(({ instanceId, accessKeys, consumerGroups, subscriptions }) => ({
          instanceId,
          accessKeys: accessKeys.map(toAccessKey),
          consumerGroupIds: consumerGroups.filter((group) => group !== DEFAULT_GROUP),
          ...(subscriptions === undefined ? {} : { subscriptions }),
        })),
        freshnessWindowMs: null,
      };
      for (const { path, text: message } of problemsOf(accounts, limits)) {
        const inTheFile = path.map((part) => (typeof part === 'string' ? (IN_THE_FILE[part] ?? part) : part));
        context.addIssue({ code: 'custom', path: inTheFile, message });
      }
      return accounts;
    });
}

function toAccessKey({
  id: accessKeyId,
  secret: accessKeySecret,
  securityToken,
  expiresAt,
  mayConsume,
}: z.infer<typeof accessKey>): Accounts['instances'][number]['accessKeys'][number] {
  return {
    accessKeyId,
    accessKeySecret,
    mayConsume,
    ...(securityToken === undefined ? {} : { securityToken }),
    ...(expiresAt === undefined ? {} : { expiresAt: Date.parse(expiresAt) }),
  };
}
