/** A pattern or time zone that cannot be followed. The message says which part. */
export class BadDateFormat extends Error {
  override readonly name = 'BadDateFormat';
}

/** Mainland China, where the platform's own times are (UTC+8, no summer time). */
export const BEIJING = 'GMT+8';

interface Zone {
  readonly name: string;
  readonly offsetMinutes: (at: number) => number;
}

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August'],
  ...['September', 'October', 'November', 'December'],
];
/** The longest pattern that is read. */
const MAX_PATTERN = 200;

/**
 * Writes a time as Java's `SimpleDateFormat` does, which the platform's patterns come from: letters are fields, text in
 * single quotes and all else stands for itself. English names; `at` in milliseconds since 1970. Throws `BadDateFormat`.
 */
export function formatDate(at: number, pattern: string, timeZone = BEIJING): string {
  if (pattern.length > MAX_PATTERN) throw new BadDateFormat(`a date pattern is longer than ${MAX_PATTERN} characters`);
  if (!Number.isFinite(at) || Math.abs(at) > 8.64e15)
    throw new BadDateFormat('the time is not milliseconds since 1970');
  const zone = zoneOf(timeZone);
  const offset = zone.offsetMinutes(at);
  const local = new Date(at + offset * 60_000);
  return parts(pattern)
    .map(({ letter, text }) => (letter === null ? text : field(letter, text.length, local, zone, offset)))
    .join('');
}

interface Part {
  /** Null for text that stands for itself. */
  readonly letter: string | null;
  readonly text: string;
}

function parts(pattern: string): Part[] {
  const found: Part[] = [];
  for (let i = 0; i < pattern.length;) {
    const character = pattern.charAt(i);
    if (character === "'") {
      const end = pattern.indexOf("'", i + 1);
      if (end < 0) throw new BadDateFormat(`the date pattern ${pattern} has a quote that does not end`);
      found.push({ letter: null, text: end === i + 1 ? "'" : pattern.slice(i + 1, end) });
      i = end + 1;
    } else if (/[A-Za-z]/.test(character)) {
      let end = i + 1;
      while (pattern.charAt(end) === character) end++;
      found.push({ letter: character, text: pattern.slice(i, end) });
      i = end;
    } else {
      found.push({ letter: null, text: character });
      i++;
    }
  }
  return found;
}

function field(letter: string, width: number, local: Date, zone: Zone, offset: number): string {
  const padded = (value: number): string => String(value).padStart(width, '0');
  const hours = local.getUTCHours();
  switch (letter) {
    case 'y':
      return width === 2 ? String(local.getUTCFullYear() % 100).padStart(2, '0') : padded(local.getUTCFullYear());
    case 'M':
      if (width < 3) return padded(local.getUTCMonth() + 1);
      return named(MONTHS[local.getUTCMonth()], width);
    case 'd':
      return padded(local.getUTCDate());
    case 'D':
      return padded(Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / 86_400_000) + 1);
    case 'E':
      return named(WEEKDAYS[local.getUTCDay()], width);
    case 'u':
      return padded(local.getUTCDay() || 7);
    case 'a':
      return hours < 12 ? 'AM' : 'PM';
    case 'H':
      return padded(hours);
    case 'k':
      return padded(hours || 24);
    case 'K':
      return padded(hours % 12);
    case 'h':
      return padded(hours % 12 || 12);
    case 'm':
      return padded(local.getUTCMinutes());
    case 's':
      return padded(local.getUTCSeconds());
    case 'S':
      return padded(local.getUTCMilliseconds());
    case 'z':
      return zone.name;
    case 'Z':
      return offsetText(offset, '');
    case 'X':
      return offset === 0
        ? 'Z'
        : width === 1
          ? offsetText(offset, '').slice(0, 3)
          : offsetText(offset, width === 2 ? '' : ':');
    default:
      throw new BadDateFormat(`the letter ${letter} means nothing in a date pattern`);
  }
}

const named = (name = '', width: number): string => (width < 4 ? name.slice(0, 3) : name);

function offsetText(minutes: number, separator: string): string {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}${separator}${String(rest).padStart(2, '0')}`;
}

/** `GMT`, `UTC`, `GMT+8`, `+08:00`, `CST` (China) and names such as `Asia/Shanghai`. */
function zoneOf(name: string): Zone {
  const fixed = /^(?:GMT|UTC|Z)?(?:([+-])(\d{1,2})(?::?(\d{2}))?)?$/i.exec(name);
  if (fixed && name !== '') {
    const minutes = Number(fixed[2] ?? 0) * 60 + Number(fixed[3] ?? 0);
    if (minutes <= 18 * 60) return { name, offsetMinutes: () => (fixed[1] === '-' ? -minutes : minutes) };
  }
  if (name === 'CST' || name === 'CTT') return { name, offsetMinutes: () => 480 };
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-GB', { timeZone: name, timeZoneName: 'longOffset' });
  } catch {
    throw new BadDateFormat(`there is no time zone ${JSON.stringify(name)}`);
  }
  const offsetMinutes = (at: number): number => {
    const text = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = '0', minutes = '0'] = /([+-])(\d{2}):(\d{2})/.exec(text) ?? [];
    return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  };
  return { name, offsetMinutes };
}

/** Reads a time that `formatDate` wrote; null when the text does not fit the pattern. Throws `BadDateFormat`. */
export function parseDate(text: string, pattern: string, timeZone = BEIJING): number | null {
  const fields: Record<string, number> = {};
  let at = 0;
  for (const { letter, text: part } of parts(pattern)) {
    if (letter === null) {
      if (!text.startsWith(part, at)) return null;
      at += part.length;
      continue;
    }
    if (!'yMdHhmsSa'.includes(letter)) throw new BadDateFormat(`the letter ${letter} cannot be read from a text`);
    const found = (
      letter === 'a'
        ? /^[AP]M/i
        : letter === 'y' && part.length !== 2
          ? /^\d{1,4}/
          : new RegExp(`^\\d{1,${Math.max(2, part.length)}}`)
    ).exec(text.slice(at));
    if (!found) return null;
    fields[letter] = letter === 'a' ? Number(/p/i.test(found[0])) : Number(found[0]);
    at += found[0].length;
  }
  if (at !== text.length) return null;
  const hour = fields.H ?? ((fields.h ?? 0) % 12) + 12 * (fields.a ?? 0);
  const local = Date.UTC(
    fields.y ?? 1_970,
    (fields.M ?? 1) - 1,
    fields.d ?? 1,
    hour,
    fields.m ?? 0,
    fields.s ?? 0,
    fields.S ?? 0,
  );
  return local - zoneOf(timeZone).offsetMinutes(local) * 60_000;
}
