import { createHmac, timingSafeEqual } from 'node:crypto';
import { deviceKey, type Device } from '../devices/device.js';
import type { Registry } from '../devices/registry.js';

/** What a device claims when it connects, and how it came. */
export interface Claim {
  readonly clientId: string;
  readonly userName: string | null;
  readonly password: Uint8Array | null;
  readonly keepAliveSeconds: number;
  readonly tls: boolean;
}

/** CONNACK return codes: 4 says that user name or password are wrong, 5 that the device may not. */
export type ReturnCode = 4 | 5;

export type Verdict =
  | { readonly device: Device }
  /** The reason is for the simulator's own log; `who` is `productKey:deviceName` as claimed. */
  | { readonly refused: string; readonly code: ReturnCode; readonly who: string };

const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['hmacmd5', 'md5'],
  ['hmacsha1', 'sha1'],
  ['hmacsha256', 'sha256'],
]);
const MAX_CLIENT_ID = 64;
/** The platform refuses anything else. */
const MIN_KEEP_ALIVE_SECONDS = 30;
const MAX_KEEP_ALIVE_SECONDS = 1_200;

/**
 * Signs a device in as the platform does: clientId `id|securemode=3,signmethod=hmacsha1,timestamp=…|`, userName
 * `deviceName&productKey`, password the hex HMAC with the device's secret over its parameters. Which return code the platform
 * gives for what is a guess beyond their names.
 */
export function checkSignIn(
  claim: Claim,
  registry: Registry,
  minKeepAliveSeconds: number = MIN_KEEP_ALIVE_SECONDS,
): Verdict {
  const named = /^([^&]+)&([^&]+)$/.exec(claim.userName ?? '');
  if (!named) return refuse(4, 'userName is not deviceName&productKey', '');
  const [, deviceName = '', productKey = ''] = named;
  const who = deviceKey(productKey, deviceName);
  const parsed = readClientId(claim.clientId);
  if ('refused' in parsed) return refuse(4, parsed.refused, who);
  const { id, params } = parsed;

  const mode = params.get('securemode');
  if (mode !== '2' && mode !== '3') {
    return refuse(5, `securemode ${quoted(mode)} is not imitated, 2 (TLS) and 3 (plain TCP) are`, who);
  }
  if ((mode === '2') !== claim.tls) {
    const came = claim.tls ? 'TLS' : 'plain TCP';
    return refuse(5, `securemode=${mode} over ${came}; 2 is for TLS, 3 for plain TCP`, who);
  }
  const method = params.get('signmethod') ?? 'hmacmd5';
  const digest = DIGESTS.get(method);
  if (digest === undefined) {
    return refuse(4, `signmethod ${quoted(method)} is none of ${[...DIGESTS.keys()].join(', ')}`, who);
  }
  const keepAlive = claim.keepAliveSeconds;
  if (keepAlive < minKeepAliveSeconds || keepAlive > MAX_KEEP_ALIVE_SECONDS) {
    const range = `${minKeepAliveSeconds} to ${MAX_KEEP_ALIVE_SECONDS}`;
    return refuse(5, `keep-alive of ${keepAlive} s is not within ${range} s`, who);
  }
  const device = registry.device(productKey, deviceName);
  if (!device) return refuse(5, 'no such device', who);
  const timestamp = params.get('timestamp');
  const content = signedContent(id, deviceName, productKey, timestamp ?? null);
  const expected = createHmac(digest, device.deviceSecret).update(content).digest();
  if (!sameHex(claim.password, expected)) return refuse(4, 'password does not match', who);
  if (device.disabled) return refuse(5, 'the device is disabled', who);
  return { device };
}

/** The parameters in the order of their names, each name followed by its value, with nothing between. */
export function signedContent(
  clientId: string,
  deviceName: string,
  productKey: string,
  timestamp: string | null,
): string {
  const signed = `clientId${clientId}deviceName${deviceName}productKey${productKey}`;
  return timestamp === null ? signed : `${signed}timestamp${timestamp}`;
}

/** `id|key=value,…|`. SDKs send further parameters (and a comma too many), which mean nothing here. */
function readClientId(text: string): { id: string; params: ReadonlyMap<string, string> } | { refused: string } {
  const match = /^([^|]*)\|([^|]*)\|$/.exec(text);
  if (!match) return { refused: 'clientId is not id|securemode=…,signmethod=…|' };
  const [, id = '', list = ''] = match;
  if (id === '' || id.length > MAX_CLIENT_ID) {
    return { refused: `the part of clientId before | has ${id.length} characters, not 1 to ${MAX_CLIENT_ID}` };
  }
  const params = new Map<string, string>();
  for (const part of list.split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) params.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return { id, params };
}

/** Hex of either case; the comparison takes as long whatever is wrong. */
function sameHex(given: Uint8Array | null, expected: Buffer): boolean {
  const text = Buffer.from(given ?? []).toString('latin1');
  if (!/^[0-9a-fA-F]+$/.test(text) || text.length !== expected.length * 2) return false;
  return timingSafeEqual(Buffer.from(text, 'hex'), expected);
}

const refuse = (code: ReturnCode, refused: string, who: string): Verdict => ({ refused, code, who });
const quoted = (text: string | undefined): string =>
  text === undefined ? '(none)' : JSON.stringify(text.slice(0, 64));
