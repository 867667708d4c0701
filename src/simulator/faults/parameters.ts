import { z } from 'zod';
import { DURATION_FORM, parseDuration } from './duration.js';

/** A parameter of a fault: how it is written, checked and explained. */
export interface Parameter<T> {
  readonly schema: z.ZodType<T>;
  /** What may be written, for people. */
  readonly form: string;
  /** As people write it. */
  readonly fallback: string | number | readonly string[];
  readonly meaning: string;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;
export type ValuesOf<P extends Parameters> = {
  readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never;
};

/** A part of all: 0 to 1. */
export const share = (fallback: number, meaning: string): Parameter<number> => ({
  schema: z.number().min(0).max(1).default(fallback),
  form: 'a number from 0 to 1',
  fallback,
  meaning,
});

export const count = (fallback: number, min: number, max: number, meaning: string): Parameter<number> => ({
  schema: z.int().min(min).max(max).default(fallback),
  form: `a whole number from ${min} to ${max}`,
  fallback,
  meaning,
});

/** A duration, in milliseconds once it is read; up to 31 days. */
export const duration = (fallback: string, meaning: string): Parameter<number> => ({
  schema: durationSchema().prefault(fallback),
  form: DURATION_FORM,
  fallback,
  meaning,
});

const MAX_DURATION_MS = 31 * 86_400_000;

/** Text such as `30s`, read as milliseconds. */
export function durationSchema(minMs = 0): z.ZodType<number, string | number> {
  return z.union([z.string(), z.literal(0)], `must be ${DURATION_FORM}`).transform((given, context) => {
    const ms = parseDuration(String(given));
    if (ms !== null && ms >= minMs && ms <= MAX_DURATION_MS) return ms;
    const why = ms === null ? `must be ${DURATION_FORM}` : `must be from ${minMs} ms to 31 days`;
    context.addIssue({ code: 'custom', message: `${why}, not ${JSON.stringify(given)}` });
    return z.NEVER;
  });
}

/** Text of up to 256 characters. */
export const text = (fallback: string, meaning: string): Parameter<string> => ({
  schema: z.string().max(256).default(fallback),
  form: 'text',
  fallback,
  meaning,
});

export const choice = <const T extends string>(names: readonly [T, ...T[]], meaning: string): Parameter<T> => ({
  schema: z.enum(names, `must be one of ${names.join(', ')}`).default(names[0]),
  form: `one of ${names.join(', ')}`,
  fallback: names[0],
  meaning,
});

/** Some of the names, all of them by default. */
export const some = <const T extends string>(names: readonly T[], meaning: string): Parameter<readonly T[]> => ({
  schema: z
    .array(z.enum(names, `must be of ${names.join(', ')}`))
    .min(1)
    .default([...names]),
  form: `a list of ${names.join(', ')}`,
  fallback: names,
  meaning,
});

/** All parameters of a fault in one schema. Where there are `least` and `most`, they are in order. */
export function schemaOf<P extends Parameters>(parameters: P): z.ZodType<ValuesOf<P>> {
  const shape = Object.fromEntries(Object.entries(parameters).map(([name, { schema }]) => [name, schema]));
  const schema = z.strictObject(shape).superRefine((values, context) => {
    const { least, most } = values;
    if (typeof least === 'number' && typeof most === 'number' && least > most) {
      context.addIssue({ code: 'custom', path: ['least'], message: 'must not be more than "most"' });
    }
  });
  return schema as unknown as z.ZodType<ValuesOf<P>>;
}
