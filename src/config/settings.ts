import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { hostname } from 'node:os';
import type { ProductRetention } from '../domain/retention.js';
import { readProductRetention } from './product-retention.js';

/** How the service identifies itself to an AMQP server (protocol 1.4); `plain` is for any AMQP 1.0 broker. */
export const AUTH_MODES = ['appkey', 'aksign', 'ststoken', 'plain'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

/** The platform's names of the HMAC that signs the password (protocol 1.5). Living has one only and ignores this. */
export const SIGN_METHODS = ['hmacmd5', 'hmacsha1', 'hmacsha256'] as const;
export type SignMethod = (typeof SIGN_METHODS)[number];

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const number = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : value,
);
const flag = Transform(({ value }: { value: unknown }) => {
  const word = typeof value === 'string' ? value.toLowerCase() : value;
  return word === 'true' ? true : word === 'false' ? false : value;
});
const lowerCase = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string' ? value.toLowerCase() : value,
);
const daysOrKeep = Transform(({ value }: { value: unknown }) =>
  value === 'keep' ? undefined : typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
);

const daysOrNever = Transform(({ value }: { value: unknown }) =>
  value === 'never' ? undefined : typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
);

/** The platform writes credentials as `key=value,key=value|`: neither `,` nor `|` can be inside (protocol 1.4). */
const PLATFORM_TEXT = /^[^,|\s]+$/;
const platformText = { message: 'must hold no comma, no | and no blank' };
const url = (what: string) => ({ message: what });

/**
 * Every setting of the service, checked once at start. A field is named after its variable: `amqpAppKey` is
 * `AMQP_APP_KEY`. Messages complete the sentence "AMQP_CREDIT is "x": it …".
 */
export class Settings {
  /** PostgreSQL 14 or later. */
  @Matches(/^postgres(ql)?:\/\/\S+$/, url('must be an address such as postgresql://user:password@host:5432/name'))
  @IsString(url('must be set (`npm start` brings a database of its own): postgresql://user:password@host:5432/name'))
  readonly databaseUrl!: string;

  /** The address that REST listens on. */
  @IsString()
  readonly httpHost: string = '127.0.0.1';

  /** 0 takes any free port. */
  @number
  @IsInt({ message: 'must be a port, 0 to 65535' })
  @Min(0, { message: 'must be a port, 0 to 65535' })
  @Max(65535, { message: 'must be a port, 0 to 65535' })
  readonly httpPort: number = 3000;

  /** The bearer token that every REST request must bring; undefined asks for none. */
  @IsOptional()
  @Matches(/^[\x21-\x7e]+$/, { message: 'must be printable ASCII without blanks, as it travels in an HTTP header' })
  readonly httpToken?: string;

  /** Allows REST beyond this machine without a token. */
  @flag
  @IsBoolean({ message: 'must be true or false' })
  readonly httpAnonymous: boolean = false;

  /** How long a question may keep the database busy, so that the ingest has it, too. */
  @number
  @IsInt({ message: 'must be a whole number of milliseconds, 100 to 600000' })
  @Min(100, { message: 'must be a whole number of milliseconds, 100 to 600000' })
  @Max(600_000, { message: 'must be a whole number of milliseconds, 100 to 600000' })
  readonly queryTimeoutMs: number = 10_000;

  /** `amqps://host:5671` or `amqp://host:5672`; never with credentials inside. */
  @Matches(/^(simulator|amqps?:\/\/\S+)$/, url('must be an address such as amqps://host:5671 or amqp://host:5672'))
  @IsString(url('must be set, so that simulated devices never slip into a real database: amqps://host:5671'))
  readonly amqpUrl!: string;

  @lowerCase
  @IsIn(AUTH_MODES, { message: `must be one of ${AUTH_MODES.join(', ')}` })
  readonly amqpAuthMode: AuthMode = 'appkey';

  @IsOptional()
  @Matches(PLATFORM_TEXT, platformText)
  readonly amqpAppKey?: string;

  @IsOptional()
  @IsString()
  readonly amqpAppSecret?: string;

  @IsOptional()
  @Matches(PLATFORM_TEXT, platformText)
  readonly amqpAccessKeyId?: string;

  @IsOptional()
  @IsString()
  readonly amqpAccessKeySecret?: string;

  @IsOptional()
  @Matches(PLATFORM_TEXT, platformText)
  readonly amqpSecurityToken?: string;

  @lowerCase
  @IsIn(SIGN_METHODS, { message: `must be one of ${SIGN_METHODS.join(', ')}` })
  readonly amqpSignMethod: SignMethod = 'hmacsha256';

  @IsOptional()
  @Matches(PLATFORM_TEXT, platformText)
  readonly amqpIotInstanceId?: string;

  @Matches(PLATFORM_TEXT, platformText)
  readonly amqpConsumerGroupId: string = 'DEFAULT_GROUP';

  @IsOptional()
  @IsString()
  readonly amqpUsername?: string;

  @IsOptional()
  @IsString()
  readonly amqpPassword?: string;

  /** The source address of the receiving link. */
  @IsString()
  @MaxLength(1024, { message: 'must have at most 1,024 characters' })
  readonly amqpAddress: string = 'default';

  /** The name that the platform's console shows for this process. */
  @Matches(PLATFORM_TEXT, platformText)
  @MaxLength(64, { message: 'must have at most 64 characters' })
  readonly amqpClientId: string = cleanedHostName();

  /** A PEM file with certificate authorities to trust beside the usual ones. */
  @IsOptional()
  @IsString()
  readonly amqpCaFile?: string;

  /** `base64` asks the platform to encode bodies and decodes them. */
  @IsOptional()
  @lowerCase
  @IsIn(['base64'], { message: 'must be base64 or not set' })
  readonly amqpEncode?: 'base64';

  /** Parallel connections of this process. */
  @number
  @IsInt({ message: 'must be a whole number, 1 to 64' })
  @Min(1, { message: 'must be a whole number, 1 to 64' })
  @Max(64, { message: 'must be a whole number, 1 to 64' })
  readonly amqpConnections: number = 1;

  /** Messages in hand for each connection. */
  @number
  @IsInt({ message: 'must be a whole number, 1 to 10000' })
  @Min(1, { message: 'must be a whole number, 1 to 10000' })
  @Max(10_000, { message: 'must be a whole number, 1 to 10000' })
  readonly amqpCredit: number = 500;

  /** So long without a message, a link is built anew to make sure; 0 never does. */
  @number
  @IsInt({ message: 'must be a whole number of minutes, 0 to 1440' })
  @Min(0, { message: 'must be a whole number of minutes, 0 to 1440' })
  @Max(1_440, { message: 'must be a whole number of minutes, 0 to 1440' })
  readonly amqpSilenceMinutes: number = 10;

  /** Whose word counts on topics of the device's own choosing: the topic's device, or any that the body names. */
  @lowerCase
  @IsIn(['topic', 'any'], { message: 'must be topic or any' })
  readonly bodyIdentity: 'topic' | 'any' = 'topic';

  /** How long the keys of dealt-with messages are kept. */
  @number
  @IsInt({ message: 'must be a whole number of days, 1 to 366' })
  @Min(1, { message: 'must be a whole number of days, 1 to 366' })
  @Max(366, { message: 'must be a whole number of days, 1 to 366' })
  readonly dedupeDays: number = 8;

  /** Undefined keeps readings for ever. */
  @daysOrKeep
  @IsOptional()
  @IsInt({ message: 'must be a whole number of days, 1 to 36500, or keep' })
  @Min(1, { message: 'must be a whole number of days, 1 to 36500, or keep' })
  @Max(36_500, { message: 'must be a whole number of days, 1 to 36500, or keep' })
  readonly retentionReadingsDays?: number;

  /** Undefined keeps events for ever. */
  @daysOrKeep
  @IsOptional()
  @IsInt({ message: 'must be a whole number of days, 1 to 36500, or keep' })
  @Min(1, { message: 'must be a whole number of days, 1 to 36500, or keep' })
  @Max(36_500, { message: 'must be a whole number of days, 1 to 36500, or keep' })
  readonly retentionEventsDays?: number;

  /** Products whose history is kept for a time of their own: `a1B2c3D4e5F:readings=30:events=keep`. */
  @IsOptional()
  @IsString()
  readonly retentionProducts?: string;

  /** How long after its end a month of readings is packed; undefined never packs. */
  @daysOrNever
  @IsOptional()
  @IsInt({ message: 'must be a whole number of days, 1 to 36500, or never' })
  @Min(1, { message: 'must be a whole number of days, 1 to 36500, or never' })
  @Max(36_500, { message: 'must be a whole number of days, 1 to 36500, or never' })
  readonly packReadingsAfterDays?: number = 30;

  /** Undefined keeps set-aside messages for ever. */
  @daysOrKeep
  @IsOptional()
  @IsInt({ message: 'must be a whole number of days, 1 to 36500, or keep' })
  @Min(1, { message: 'must be a whole number of days, 1 to 36500, or keep' })
  @Max(36_500, { message: 'must be a whole number of days, 1 to 36500, or keep' })
  readonly retentionSetAsideDays?: number;

  /** A folder of this replica's own for messages that come while the database is away; undefined leaves them at the platform. */
  @IsOptional()
  @IsString()
  readonly spoolDir?: string;

  /** The spool takes no more than so many bytes of the disk. */
  @number
  @IsInt({ message: 'must be a whole number of bytes, 1048576 (1 MiB) or more' })
  @Min(1_048_576, { message: 'must be a whole number of bytes, 1048576 (1 MiB) or more' })
  @Max(Number.MAX_SAFE_INTEGER, { message: 'must be a whole number of bytes, 1048576 (1 MiB) or more' })
  readonly spoolMaxBytes: number = 1_073_741_824;

  /** How long the database is waited for before messages go into the spool. */
  @number
  @IsInt({ message: 'must be a whole number of seconds, 1 to 20' })
  @Min(1, { message: 'must be a whole number of seconds, 1 to 20' })
  @Max(20, { message: 'must be a whole number of seconds, 1 to 20' })
  readonly spoolAfterSeconds: number = 5;

  /** Keys for the hashes of erased users, the newest first; undefined has the database keep one of its own. */
  @IsOptional()
  @Matches(/^[\x21-\x2b\x2d-\x7e]{32,}(,[\x21-\x2b\x2d-\x7e]{32,})*$/, {
    message:
      'must be a secret of at least 32 printable characters without blanks, or several with commas between, the newest first',
  })
  readonly erasureKey?: string;

  /** How long changes are kept for streams to be resumed; 0 keeps no log of them, and there are no streams. */
  @number
  @IsInt({ message: 'must be a whole number of hours, 0 to 720' })
  @Min(0, { message: 'must be a whole number of hours, 0 to 720' })
  @Max(720, { message: 'must be a whole number of hours, 0 to 720' })
  readonly streamKeepHours: number = 24;

  /** How many streams this process serves at once. */
  @number
  @IsInt({ message: 'must be a whole number, 1 to 10000' })
  @Min(1, { message: 'must be a whole number, 1 to 10000' })
  @Max(10_000, { message: 'must be a whole number, 1 to 10000' })
  readonly streamLimit: number = 200;

  @lowerCase
  @IsIn(LOG_LEVELS, { message: `must be one of ${LOG_LEVELS.join(', ')}` })
  readonly logLevel: LogLevel = 'info';

  /** For people or for machines. */
  @lowerCase
  @IsIn(['pretty', 'json'], { message: 'must be pretty or json' })
  readonly logFormat: 'pretty' | 'json' = process.stdout.isTTY ? 'pretty' : 'json';

  /**
   * RETENTION_PRODUCTS, by product key.
   * @throws BadProductRetention
   */
  get productRetention(): ReadonlyMap<string, ProductRetention> {
    return readProductRetention(this.retentionProducts ?? '');
  }

  /** The name of this process in counts. */
  get replica(): string {
    return this.amqpClientId;
  }
}

/** Settings whose value must never be printed, not even when it is wrong. */
export const SECRET_SETTINGS: ReadonlySet<string> = new Set([
  'databaseUrl', // holds a password
  'httpToken',
  'amqpUrl', // people put credentials there
  'amqpAppSecret',
  'amqpAccessKeySecret',
  'amqpSecurityToken',
  'amqpPassword',
  'erasureKey',
]);

/** The variable that a field is read from: `amqpAppKey` is `AMQP_APP_KEY`. */
export function variableOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function cleanedHostName(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 64) || 'living-mirror'
  );
}
