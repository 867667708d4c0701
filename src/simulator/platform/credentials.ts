import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  enterpriseGroup,
  enterpriseTenant,
  groupIdsOf,
  livingGroup,
  livingTenant,
  type Accounts,
  type EnterpriseInstance,
} from './tenants.js';

/** A client that signed in. */
export interface Login {
  readonly flavour: 'living' | 'enterprise';
  readonly clientId: string;
  /** Key of its tenant, see `livingTenant` and `enterpriseTenant`. */
  readonly tenant: string;
  /** Key of its consumer group in this simulator, see `livingGroup` and `enterpriseGroup`. */
  readonly group: string;
  /** The client asked for Base64 bodies. */
  readonly base64: boolean;
}

export type Verdict = { readonly login: Login } | { readonly refused: string };

const ENTERPRISE_DIGESTS: ReadonlyMap<string, string> = new Map([
  ['hmacmd5', 'md5'],
  ['hmacsha1', 'sha1'],
  ['hmacsha256', 'sha256'],
]);

/** The group that a userName asks for, whatever its password; null where it asks for none that exists. */
export function claimedGroup(userName: string, accounts: Accounts): string | null {
  const parsed = parseUserName(userName);
  if (typeof parsed === 'string') return null;
  const { params } = parsed;
  if (params.get('authMode') === 'appkey') {
    const app = accounts.apps.find(({ appKey }) => appKey === params.get('appKey'));
    return app ? livingGroup(app.appKey) : null;
  }
  const instance = accounts.instances.find(({ instanceId }) => instanceId === (params.get('iotInstanceId') ?? ''));
  const groupId = params.get('consumerGroupId') ?? '';
  return instance && groupIdsOf(instance).includes(groupId) ? enterpriseGroup(instance.instanceId, groupId) : null;
}

/**
 * Checks what a client gave in SASL PLAIN (protocol 1.3 to 1.5). `now` is the world's time, milliseconds since 1970. A refusal says why, for the simulator's own log only:
 * the client learns no more than SASL outcome 1. The reason never holds a password, a secret or a security token.
 */
export function checkCredentials(userName: string, password: string, accounts: Accounts, now: number): Verdict {
  const parsed = parseUserName(userName);
  if (typeof parsed === 'string') return { refused: parsed };
  const { params } = parsed;
  const mode = params.get('authMode') ?? '';
  if (mode === 'appkey') return checkLiving(parsed, password, accounts, now);
  if (mode === 'aksign' || mode === 'ststoken') return checkEnterprise(parsed, mode, password, accounts, now);
  return { refused: mode === '' ? 'userName names no authMode' : `unknown authMode ${shown(mode)}` };
}

/** The string to sign and its digest, as the platform's clients make the password (protocol 1.5). */
export function sign(
  fields: Readonly<Record<string, string>>,
  secret: string,
  digest: string,
  encoding: 'hex' | 'base64',
): string {
  const content = Object.keys(fields)
    .sort()
    .map((name) => `${name}=${fields[name] ?? ''}`)
    .join('&');
  return createHmac(digest, secret).update(content, 'utf8').digest(encoding);
}

interface UserName {
  readonly clientId: string;
  readonly params: ReadonlyMap<string, string>;
}

/** Protocol 1.4; the reason as text when it is malformed. */
function parseUserName(userName: string): UserName | string {
  const match = /^([^|]*)\|([^|]*)\|$/s.exec(userName);
  if (!match) return 'malformed userName: it must look like clientId|key=value,…|';
  const [, clientId = '', list = ''] = match;
  const { length } = [...clientId]; // characters, which are not always one UTF-16 unit
  if (length === 0 || length > 64 || clientId.includes(',')) {
    return 'malformed userName: the clientId must have 1 to 64 characters and no comma';
  }
  const params = new Map<string, string>();
  for (const param of list.split(',')) {
    const equals = param.indexOf('=');
    if (equals < 1) return 'malformed userName: a parameter is not key=value';
    const key = param.slice(0, equals);
    if (params.has(key)) return `malformed userName: ${shown(key)} is there twice`;
    params.set(key, param.slice(equals + 1));
  }
  return { clientId, params };
}

function checkLiving({ clientId, params }: UserName, password: string, accounts: Accounts, now: number): Verdict {
  const appKey = params.get('appKey') ?? '';
  const random = params.get('random') ?? '';
  if (params.get('signMethod') !== 'SHA256') return { refused: 'appkey: signMethod must be SHA256' };
  if (!/^-?\d{1,19}$/.test(random)) return { refused: 'appkey: random must be a decimal number' };
  const app = accounts.apps.find((known) => known.appKey === appKey);
  if (!app) return { refused: `appkey: unknown appKey ${shown(appKey)}` };
  if (params.get('groupId') !== appKey) return { refused: 'appkey: groupId must be the appKey' };
  const wrong = wrongPassword(password, { random }, app.appSecret, 'sha256', 'hex');
  if (wrong) return { refused: `appkey: ${wrong} (appKey ${shown(appKey)})` };
  if (accounts.freshRandom && isStale(random, accounts, now)) return { refused: 'appkey: random is stale' };
  return {
    login: { flavour: 'living', clientId, tenant: livingTenant(appKey), group: livingGroup(appKey), base64: false },
  };
}

function checkEnterprise(
  { clientId, params }: UserName,
  mode: 'aksign' | 'ststoken',
  password: string,
  accounts: Accounts,
  now: number,
): Verdict {
  const refused = (reason: string): Verdict => ({ refused: `${mode}: ${reason}` });
  const digest = ENTERPRISE_DIGESTS.get(params.get('signMethod') ?? '');
  if (!digest) return refused(`signMethod must be one of ${[...ENTERPRISE_DIGESTS.keys()].join(', ')}`);
  const timestamp = params.get('timestamp') ?? '';
  if (!/^\d{1,19}$/.test(timestamp)) return refused('timestamp must be milliseconds since 1970');
  const instanceId = params.get('iotInstanceId') ?? '';
  const instance = accounts.instances.find((known) => known.instanceId === instanceId);
  if (!instance) {
    return refused(instanceId === '' ? 'iotInstanceId is missing' : `unknown instance ${shown(instanceId)}`);
  }
  const authId = params.get('authId') ?? '';
  const key = instance.accessKeys.find(
    (known) => known.accessKeyId === authId && (known.securityToken !== undefined) === (mode === 'ststoken'),
  );
  if (!key) return refused(`unknown authId ${shown(authId)} in instance ${shown(instanceId)}`);
  const groupId = params.get('consumerGroupId') ?? '';
  if (!groupIdsOf(instance).includes(groupId)) return refused(unknownGroup(groupId, instance, accounts));
  const encode = params.get('encode');
  if (encode !== undefined && encode !== 'base64') return refused(`unknown encode ${shown(encode)}`);

  const signed: Record<string, string> = { authId, timestamp };
  if (mode === 'ststoken') {
    const securityToken = params.get('securityToken') ?? '';
    if (securityToken !== key.securityToken) return refused(`wrong securityToken (authId ${shown(authId)})`);
    signed.securityToken = securityToken;
  }
  const wrong = wrongPassword(password, signed, key.accessKeySecret, digest, 'base64');
  if (wrong) return refused(`${wrong} (authId ${shown(authId)})`);
  if (key.expiresAt !== undefined && now >= key.expiresAt) {
    return refused(`the temporary credential has expired (authId ${shown(authId)})`);
  }
  if (key.mayConsume === false) return refused(`no permission iot:sub (authId ${shown(authId)})`);
  if (isStale(timestamp, accounts, now)) return refused('timestamp is stale');
  return {
    login: {
      flavour: 'enterprise',
      clientId,
      tenant: enterpriseTenant(instanceId),
      group: enterpriseGroup(instanceId, groupId),
      base64: encode === 'base64',
    },
  };
}

function isStale(signedAt: string, { freshnessWindowMs }: Accounts, now: number): boolean {
  return freshnessWindowMs !== null && Math.abs(Number(signedAt) - now) > freshnessWindowMs;
}

function unknownGroup(groupId: string, { instanceId }: EnterpriseInstance, { instances }: Accounts): string {
  const foreign = instances.some((other) => other.consumerGroupIds.includes(groupId));
  return foreign
    ? `consumer group ${shown(groupId)} belongs to another instance than ${shown(instanceId)}`
    : `unknown consumer group ${shown(groupId)} in instance ${shown(instanceId)}`;
}

/** Says what is wrong with the password, or nothing. Tells the mix-up of the two encodings apart, a common mistake. */
function wrongPassword(
  password: string,
  fields: Readonly<Record<string, string>>,
  secret: string,
  digest: string,
  encoding: 'hex' | 'base64',
): string | undefined {
  if (same(password, sign(fields, secret, digest, encoding))) return undefined;
  const other = encoding === 'hex' ? 'base64' : 'hex';
  if (same(password, sign(fields, secret, digest, other))) return `the password is ${other} where ${encoding} is asked`;
  return 'wrong password';
}

function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given, 'utf8'), Buffer.from(expected, 'utf8')];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A client's own text in a log line: quoted, and cut where it is absurdly long. */
function shown(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
