import { createHmac } from 'node:crypto';

/** How to sign in: the part of the settings that this needs. Which of them must be there depends on the mode. */
export interface SignInSettings {
  readonly amqpAuthMode: 'appkey' | 'aksign' | 'ststoken' | 'plain';
  readonly amqpAppKey?: string | undefined;
  readonly amqpAppSecret?: string | undefined;
  readonly amqpAccessKeyId?: string | undefined;
  readonly amqpAccessKeySecret?: string | undefined;
  readonly amqpSecurityToken?: string | undefined;
  readonly amqpSignMethod?: 'hmacmd5' | 'hmacsha1' | 'hmacsha256' | undefined;
  readonly amqpIotInstanceId?: string | undefined;
  readonly amqpConsumerGroupId?: string | undefined;
  readonly amqpUsername?: string | undefined;
  readonly amqpPassword?: string | undefined;
  readonly amqpClientId?: string | undefined;
  readonly amqpEncode?: 'base64' | undefined;
}

/** What SASL PLAIN sends. Null where a plain broker is to be entered anonymously. */
export interface SignIn {
  readonly username: string;
  readonly password: string;
}

const digests = { hmacmd5: 'md5', hmacsha1: 'sha1', hmacsha256: 'sha256' } as const;

/**
 * User name and password for one connection attempt (protocol 1.4, 1.5). Sign anew for every attempt: both carry the time.
 * @param now milliseconds since 1970; what the Enterprise modes sign.
 * @param random a whole number; what `appkey` signs.
 * @returns null for `plain` without a user name.
 * @throws Error naming the setting that is missing.
 */
export function signIn(settings: SignInSettings, now: number, random: number): SignIn | null {
  const client = cleanClientId(settings.amqpClientId ?? '');
  switch (settings.amqpAuthMode) {
    case 'plain': {
      if (!settings.amqpUsername) return null;
      return { username: settings.amqpUsername, password: settings.amqpPassword ?? '' };
    }
    case 'appkey': {
      const appKey = required(settings.amqpAppKey, 'AMQP_APP_KEY');
      const secret = required(settings.amqpAppSecret, 'AMQP_APP_SECRET');
      const parameters = {
        authMode: 'appkey',
        signMethod: 'SHA256',
        random: String(random),
        appKey,
        groupId: appKey,
        encode: settings.amqpEncode,
      };
      const password = createHmac('sha256', secret).update(`random=${random}`, 'utf8').digest('hex');
      return { username: userName(client, parameters), password };
    }
    case 'aksign':
    case 'ststoken': {
      const authId = required(settings.amqpAccessKeyId, 'AMQP_ACCESS_KEY_ID');
      const secret = required(settings.amqpAccessKeySecret, 'AMQP_ACCESS_KEY_SECRET');
      const securityToken =
        settings.amqpAuthMode === 'ststoken' ? required(settings.amqpSecurityToken, 'AMQP_SECURITY_TOKEN') : undefined;
      const signMethod = settings.amqpSignMethod ?? 'hmacsha256';
      const parameters = {
        authMode: settings.amqpAuthMode,
        securityToken,
        signMethod,
        timestamp: String(now),
        authId,
        iotInstanceId: settings.amqpIotInstanceId,
        consumerGroupId: settings.amqpConsumerGroupId || 'DEFAULT_GROUP',
        encode: settings.amqpEncode,
      };
      const signed = { authId, securityToken, timestamp: String(now) };
      const text = pairs(signed).join('&');
      const password = createHmac(digests[signMethod], secret).update(text, 'utf8').digest('base64');
      return { username: userName(client, parameters), password };
    }
    default:
      return settings.amqpAuthMode satisfies never;
  }
}

/**
 * A name that fits the grammar of user names: 1 to 64 printable ASCII characters without `|` and `,`.
 * @param suffix kept whole; tells parallel connections apart.
 */
export function cleanClientId(wanted: string, suffix = ''): string {
  const clean = wanted.replace(/[^\x21-\x7e]+|[|,]+/g, '-').slice(0, 64 - suffix.length);
  return (clean || 'living-mirror') + suffix;
}

function userName(client: string, parameters: Record<string, string | undefined>): string {
  return `${client}|${pairs(parameters).join(',')}|`;
}

/** Without those that have no value: an instance without an id must not name one. */
function pairs(parameters: Record<string, string | undefined>): string[] {
  return Object.entries(parameters).flatMap(([key, value]) => (value ? [`${key}=${value}`] : []));
}

function required(value: string | undefined, setting: string): string {
  if (!value) throw new Error(`${setting} is not set`);
  return value;
}
