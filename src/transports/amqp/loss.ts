import type { SignInSettings } from './credentials.js';

/** Why there is no connection, for people. */
export interface Loss {
  /** What happened, in one line. */
  readonly reason: string;
  /** What to do about it; null when waiting is all. */
  readonly advice: string | null;
}

/** How far a connection had come. */
export type Phase = 'connecting' | 'signing in' | 'attaching' | 'open';

/** What rhea, Node or the peer said; any of these may be missing. */
interface Fault {
  readonly code?: unknown;
  readonly condition?: unknown;
  readonly description?: unknown;
  readonly message?: unknown;
}

const secretsOf = {
  appkey: 'AMQP_APP_KEY and AMQP_APP_SECRET',
  aksign:
    'AMQP_ACCESS_KEY_ID, AMQP_ACCESS_KEY_SECRET, AMQP_IOT_INSTANCE_ID and AMQP_CONSUMER_GROUP_ID, and that the user may iot:sub',
  ststoken:
    'AMQP_SECURITY_TOKEN (it expires), AMQP_ACCESS_KEY_ID, AMQP_ACCESS_KEY_SECRET, AMQP_IOT_INSTANCE_ID and AMQP_CONSUMER_GROUP_ID',
  plain: 'AMQP_USERNAME and AMQP_PASSWORD',
} as const;

const untrusted = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);
const noSuchHost = new Set(['ENOTFOUND', 'EAI_AGAIN']);
const noAnswer = new Set(['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN']);

/** Turns an error of any of the layers below into what people need to know. Never names a secret. */
export function explainLoss(fault: unknown, phase: Phase, mode: SignInSettings['amqpAuthMode']): Loss {
  const { code, condition, text } = wordsOf(fault);
  if (noSuchHost.has(code)) return { reason: `the host name is not known (${code})`, advice: 'check AMQP_URL' };
  if (noAnswer.has(code)) {
    return { reason: `nobody answers there (${code})`, advice: 'check AMQP_URL, the network and any firewall' };
  }
  if (untrusted.has(code)) {
    return {
      reason: `its certificate comes from an authority that is not trusted here (${code})`,
      advice: 'put the certificate of that authority into a file and name it in AMQP_CA_FILE',
    };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code.startsWith('CERT_')) {
    return { reason: `its certificate is not valid: ${text}`, advice: 'check the host in AMQP_URL and the clock' };
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO') {
    return { reason: 'it does not speak TLS on this port', advice: 'check the port, or write amqp:// in AMQP_URL' };
  }
  if (code === 'ENOENT' || code === 'EACCES' || code.startsWith('ERR_OSSL_PEM')) {
    return { reason: `the certificate file cannot be used: ${text}`, advice: 'check AMQP_CA_FILE' };
  }
  if (condition === 'amqp:unauthorized-access' && phase !== 'open') {
    return {
      reason: `the credentials were refused (${text})`,
      advice: `check ${secretsOf[mode]}, and the clock of this machine`,
    };
  }
  if (/^Failed to authenticate: [234]$/.test(text)) {
    return { reason: `nobody can sign in there just now (SASL outcome ${text.slice(-1)})`, advice: null };
  }
  const said = condition === '' ? text : text === '' ? condition : `${condition}: ${text}`;
  if (phase === 'signing in') {
    return { reason: `signing in failed: ${said}`, advice: `check AMQP_URL and ${secretsOf[mode]}` };
  }
  return { reason: said || 'no reason was given', advice: null };
}

function wordsOf(fault: unknown): { code: string; condition: string; text: string } {
  // Node tries all addresses of a host and reports one error for all of them, without words of its own.
  const inner: unknown = fault instanceof AggregateError ? (fault.errors[0] ?? fault) : fault;
  const { code, condition, description, message } = (typeof inner === 'object' && inner !== null ? inner : {}) as Fault;
  const text = [description, message].find((words) => typeof words === 'string' && words !== '');
  return {
    code: typeof code === 'string' ? code : '',
    condition: typeof condition === 'string' ? condition : '',
    text: typeof text === 'string' ? text.replace(/\s+/g, ' ').slice(0, 300) : typeof inner === 'string' ? inner : '',
  };
}
