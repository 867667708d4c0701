import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { buildMessage, IsIn, IsInt, Matches, Max, MaxLength, Min, ValidateBy } from 'class-validator';

/** Text that PostgreSQL can hold. */
export function Text(maxLength: number): PropertyDecorator {
  return applyDecorators(
    MaxLength(maxLength, { message: `must have at most ${maxLength} characters` }),
    // A NUL is the one character that a valid address can name and PostgreSQL cannot hold.
    Matches(/^[^\0]+$/, { message: 'must be text without NUL characters, not empty, and given once' }),
  );
}

/** `true` or `false`, as a boolean. */
export function Flag(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value)),
    IsIn([true, false], { message: 'must be true or false' }),
  );
}

/** A whole number between two others. */
export function WholeNumber(min: number, max: number): PropertyDecorator {
  const message = `must be a whole number from ${min} to ${max}`;
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
    ),
    IsInt({ message }),
    Min(min, { message }),
    Max(max, { message }),
  );
}

/** A time, as RFC 3339 or epoch milliseconds (in a body also as a number), in the years 1 to 9999. */
export function Time(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' || typeof value === 'number' ? (parseTime(String(value)) ?? value) : value,
    ),
    ValidateBy({
      name: 'time',
      validator: {
        validate: (value: unknown) => value instanceof Date,
        defaultMessage: buildMessage(
          () =>
            'must be a time such as 2026-11-22T07:35:00.000Z or 1795332900000 (epoch milliseconds), in the years 1 to 9999',
        ),
      },
    }),
  );
}

/** One text, or several. */
export function Texts(maxLength: number, maxCount: number): PropertyDecorator {
  const message = `must be given, at most ${maxCount} times, each not empty and at most ${maxLength} characters`;
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? [value] : value)),
    ValidateBy({
      name: 'texts',
      validator: {
        validate: (value: unknown) =>
          Array.isArray(value) &&
          value.length <= maxCount &&
          value.every((text) => typeof text === 'string' && text.length <= maxLength && /^[^\0]+$/.test(text)),
        defaultMessage: buildMessage(() => message),
      },
    }),
  );
}

/** Some of several words, separated by commas or given several times; each once, in the order given. */
export function Words(isWord: (word: string) => boolean, message: string): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => {
      const given: unknown[] = Array.isArray(value) ? value : [value];
      return given.every((each) => typeof each === 'string')
        ? [...new Set(given.flatMap((each) => each.split(',')))]
        : value;
    }),
    ValidateBy({
      name: 'words',
      validator: {
        validate: (value: unknown) =>
          Array.isArray(value) && value.every((word) => typeof word === 'string' && isWord(word)),
        defaultMessage: buildMessage(() => message),
      },
    }),
  );
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+\- ])(\d\d):(\d\d))$/;
const FIRST = Date.parse('0001-01-01T00:00:00.000Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * A time that people write, to the millisecond (a finer one is rounded up: nothing lies between). A blank stands for the
 * plus of an offset, which is what an address that was not encoded makes of it.
 */
export function parseTime(text: string): Date | null {
  const epochMs = /^-?\d{1,15}$/.test(text) ? Number(text) : rfc3339(text);
  return epochMs !== null && epochMs >= FIRST && epochMs <= LAST ? new Date(epochMs) : null;
}

function rfc3339(text: string): number | null {
  const match = RFC_3339.exec(text);
  if (!match) return null;
  const [, year, month, day, hours, minutes, seconds, fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] =
    match;
  const whole = new Date(
    `${year}-${month}-${day}T${hours}:${minutes}:${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}Z`,
  );
  if (Number.isNaN(whole.getTime()) || whole.getUTCDate() !== Number(day) || whole.getUTCHours() !== Number(hours))
    return null;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return null;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000 * (sign === '-' ? -1 : 1);
  const finer = /[1-9]/.test(fraction.slice(3)) ? 1 : 0;
  return whole.getTime() + finer - offset;
}
