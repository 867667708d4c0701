import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { readFileSync } from 'node:fs';
import { BadProductRetention } from './product-retention.js';
import { SECRET_SETTINGS, Settings, variableOf } from './settings.js';

/** Variables by name, as in `process.env` or a `.env` file. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What is wrong with one variable. */
export interface SettingProblem {
  readonly variable: string;
  readonly problem: string;
}

/** The settings make no sense; names every one that does not, at once, and never a secret's value. */
export class BadSettings extends Error {
  override readonly name = 'BadSettings';

  constructor(readonly problems: readonly SettingProblem[]) {
    super(
      `${problems.length === 1 ? 'A setting is' : `${problems.length} settings are`} wrong: ` +
        problems.map(({ variable, problem }) => `${variable} ${problem}`).join('; '),
    );
  }
}

const FIELDS = [
  'databaseUrl',
  'httpHost',
  'httpPort',
  'httpToken',
  'httpAnonymous',
  'queryTimeoutMs',
  'amqpUrl',
  'amqpAuthMode',
  'amqpAppKey',
  'amqpAppSecret',
  'amqpAccessKeyId',
  'amqpAccessKeySecret',
  'amqpSecurityToken',
  'amqpSignMethod',
  'amqpIotInstanceId',
  'amqpConsumerGroupId',
  'amqpUsername',
  'amqpPassword',
  'amqpAddress',
  'amqpClientId',
  'amqpCaFile',
  'amqpEncode',
  'amqpConnections',
  'amqpCredit',
  'amqpSilenceMinutes',
  'bodyIdentity',
  'dedupeDays',
  'retentionReadingsDays',
  'retentionEventsDays',
  'retentionProducts',
  'packReadingsAfterDays',
  'retentionSetAsideDays',
  'spoolDir',
  'spoolMaxBytes',
  'spoolAfterSeconds',
  'erasureKey',
  'streamKeepHours',
  'streamLimit',
  'logLevel',
  'logFormat',
] as const satisfies readonly (keyof Settings)[];

/** The variables that settings are read from. */
export const VARIABLES: readonly string[] = FIELDS.map(variableOf);

/**
 * Reads and checks every setting. A variable that is empty is not set.
 * @throws BadSettings naming every wrong one.
 */
export function readSettings(environment: Environment): Settings {
  const given: Record<string, string> = {};
  for (const field of FIELDS) {
    const value = environment[variableOf(field)]?.trim();
    if (value) given[field] = value;
  }
  const settings = plainToInstance(Settings, given, { exposeDefaultValues: true });
  const problems = new Map<string, string>();
  for (const { property, constraints = {} } of validateSync(settings, { stopAtFirstError: true })) {
    const rule = Object.values(constraints)[0] ?? 'is not understood';
    problems.set(property, describe(property, given[property], rule));
  }
  for (const [field, problem] of rulesAcross(settings)) if (!problems.has(field)) problems.set(field, problem);
  if (problems.size === 0) return settings;
  throw new BadSettings(
    FIELDS.filter((field) => problems.has(field)).map((field) => ({
      variable: variableOf(field),
      problem: problems.get(field) ?? '',
    })),
  );
}

function describe(field: string, value: string | undefined, rule: string): string {
  if (value === undefined) return rule;
  const shown = SECRET_SETTINGS.has(field) ? 'is not usable (its value is not shown)' : `is ${quoted(value)}`;
  return `${shown}: it ${rule}`;
}

function quoted(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

/** Each mode of authentication needs its own credentials. */
const CREDENTIALS = {
  appkey: ['amqpAppKey', 'amqpAppSecret'],
  aksign: ['amqpAccessKeyId', 'amqpAccessKeySecret'],
  ststoken: ['amqpAccessKeyId', 'amqpAccessKeySecret', 'amqpSecurityToken'],
  plain: ['amqpUsername', 'amqpPassword'],
} as const satisfies Record<Settings['amqpAuthMode'], readonly (keyof Settings)[]>;

/** What no single setting can tell of itself. */
function* rulesAcross(settings: Settings): Generator<readonly [field: keyof Settings, problem: string]> {
  // An unknown mode is a problem of its own and says nothing about credentials.
  const credentials = Object.hasOwn(CREDENTIALS, settings.amqpAuthMode) ? CREDENTIALS[settings.amqpAuthMode] : [];
  for (const field of credentials) {
    if (settings[field] === undefined) yield [field, `must be set when AMQP_AUTH_MODE is ${settings.amqpAuthMode}`];
  }
  if (settings.amqpAuthMode === 'appkey' && settings.amqpConnections > 1) {
    yield ['amqpConnections', `is "${settings.amqpConnections}": it must be 1 when AMQP_AUTH_MODE is appkey`];
  }
  if (!isLoopback(settings.httpHost) && settings.httpToken === undefined && settings.httpAnonymous !== true) {
    yield [
      'httpToken',
      `must be set when HTTP_HOST (${quoted(settings.httpHost)}) is more than this machine; ` +
        'HTTP_ANONYMOUS=true allows anyone instead',
    ];
  }
  const retention = problemOfRetention(settings);
  if (retention !== null)
    yield ['retentionProducts', `is ${quoted(settings.retentionProducts ?? '')}: it ${retention}`];
  const database = problemOfUrl(settings.databaseUrl);
  if (database !== null) yield ['databaseUrl', database];
  const amqp =
    settings.amqpUrl === 'simulator'
      ? 'is simulator, which only `npm start` understands: it starts one and hands its address to the service'
      : (problemOfUrl(settings.amqpUrl) ?? problemOfAmqpUrl(settings.amqpUrl));
  if (amqp !== null) yield ['amqpUrl', amqp];
  const caFile = settings.amqpCaFile === undefined ? null : problemOfCaFile(settings.amqpCaFile);
  if (caFile !== null) yield ['amqpCaFile', `is ${quoted(settings.amqpCaFile ?? '')}: ${caFile}`];
}

function problemOfRetention(settings: Settings): string | null {
  try {
    void settings.productRetention;
    return null;
  } catch (error) {
    if (error instanceof BadProductRetention) return error.message;
    throw error;
  }
}

function problemOfUrl(text: string): string | null {
  // Prisma's own parser is as strict as this one about characters that must be percent-encoded in a password.
  return text === undefined || URL.canParse(text)
    ? null
    : 'is not an address that can be read (its value is not shown); percent-encode special characters';
}

function problemOfAmqpUrl(text: string): string | null {
  if (text === undefined) return null;
  const url = new URL(text);
  if (url.username || url.password) {
    return 'must hold no credentials: AMQP_USERNAME and AMQP_PASSWORD are their place';
  }
  if (!url.hostname) return 'must name a host, such as amqps://host:5671';
  if (!['', '/'].includes(url.pathname) || url.search || url.hash) {
    return 'must end after the port: AMQP_ADDRESS is the place of the source address';
  }
  return null;
}

function problemOfCaFile(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').includes('-----BEGIN ')
      ? null
      : 'it must be a PEM file of certificates ("-----BEGIN CERTIFICATE-----")';
  } catch (error) {
    return `it must be a file that can be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`;
  }
}

/** Whether only this machine can reach a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}
