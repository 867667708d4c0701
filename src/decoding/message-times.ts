import { ExactNumber, type Json, type JsonObject } from './json.js';

const HOUR_MS = 3_600_000;
/** How far beyond the platform's time of its message a time may lie: devices may be 24 hours ahead, clocks differ. */
const AHEAD_LIMIT_MS = 25 * HOUR_MS;
const FIRST_MS = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** Fields in which a body says when it was made, the most trusted first. */
const BODY_TIMES = ['gmtCreate', 'messageCreateTime', 'time', 'utcTime'] as const;
/** Those of them that the platform's own clock wrote. */
const PLATFORM_TIMES = ['gmtCreate', 'messageCreateTime'] as const;

/** The times of one message, and the judgement of every time inside it. */
export class MessageTimes {
  /** generateTime, else what the body says, else null: never the receipt, so it is the same at every delivery. */
  readonly sentAt: Date | null;
  /** When the message happened: by the body where that tells, else generateTime, else the receipt. */
  readonly at: Date;
  private readonly latestMs: number;

  constructor(generateTime: string | null, body: JsonObject | null, receivedAt: Date) {
    const generatedMs = readInstant(generateTime ?? undefined);
    const platformMs = generatedMs ?? firstInstant(body, PLATFORM_TIMES, LAST_MS) ?? receivedAt.getTime();
    this.latestMs = Math.min(platformMs + AHEAD_LIMIT_MS, LAST_MS);
    const bodyMs = firstInstant(body, BODY_TIMES, LAST_MS);
    const sentMs = generatedMs ?? bodyMs;
    this.sentAt = sentMs === null ? null : new Date(sentMs);
    this.at = new Date(firstInstant(body, BODY_TIMES, this.latestMs) ?? generatedMs ?? receivedAt.getTime());
  }

  /** A time of the message as a date, or why it is none. A missing one (null counts as missing) is the message's own. */
  of(value: Json | undefined): Date | 'bad-time' | 'future-time' {
    if (value === undefined || value === null) return this.at;
    const ms = readInstant(value);
    if (ms === null) return 'bad-time';
    return ms > this.latestMs ? 'future-time' : new Date(ms);
  }
}

function firstInstant(body: JsonObject | null, names: readonly string[], latestMs: number): number | null {
  if (body === null) return null;
  for (const name of names) {
    const ms = readInstant(body[name]);
    if (ms !== null && ms <= latestMs) return ms;
  }
  return null;
}

/**
 * Epoch milliseconds of a time as the wire has it: a number, digits in a string, or ISO 8601 with its zone. Anything else,
 * and whatever lies outside the years 1 to 9999, is null.
 */
export function readInstant(value: Json | undefined): number | null {
  const ms = toMs(value);
  return ms >= FIRST_MS && ms <= LAST_MS ? Math.floor(ms) : null; // false for NaN too
}

function toMs(value: Json | undefined): number {
  if (typeof value === 'number') return value;
  if (value instanceof ExactNumber) return Number(value.text);
  if (typeof value !== 'string' || value.length > 40) return NaN;
  if (/^-?\d+$/.test(value)) return Number(value);
  return /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/.test(value) ? Date.parse(value) : NaN;
}
