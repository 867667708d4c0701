import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { canonicalJson } from '../../src/decoding/canonical-json.js';
import { parseJson } from '../../src/decoding/parse-json.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';

/** Numbers as text, since JavaScript's own lose digits: plain, long, with exponents and with needless zeros. */
const digits = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: length });

const numberText = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: fc.oneof(
      fc.constant('0'),
      digits(25).map((text) => text.replace(/^0+(?=.)/, '')),
    ),
    fraction: fc.option(digits(25), { nil: '' }),
    exponent: fc.option(fc.integer({ min: -200, max: 200 }), { nil: null }),
  })
  .map(
    ({ sign, whole, fraction, exponent }) =>
      `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
  );

/** Any text that PostgreSQL can hold: no NUL, no half pairs. */
const text = fc
  .oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.string({ unit: 'grapheme', maxLength: 4 }))
  .map((value) => value.replaceAll('\0', ''));
const stringText = text.map((value) => JSON.stringify(value));

/** JSON text with every kind of value, duplicate keys included. */
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    numberText,
    stringText,
    fc.constantFrom('null', 'true', 'false', '{}', '[]'),
    fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(fc.oneof(stringText, fc.constantFrom('"a"', '"aa"', '"é"', '"€"')), tie('json')), {
        maxLength: 6,
      })
      .map((members) => `{${members.map(([key, value]) => `${key} : ${value}`).join(' , ')}}`),
  ),
}));

describe('canonical JSON', () => {
  let database: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    database = await freshDatabase({ migrated: false });
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });

  afterAll(async () => {
    await client?.end();
    await database?.drop();
  });

  it('is what PostgreSQL prints for the same value', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(json, { minLength: 50, maxLength: 50 }), async (texts) => {
        const canonical = texts.map(canonicalOf);
        const { rows } = await client.query<{ printed: string; same: boolean }>(
          `SELECT c::jsonb::text AS printed, c::jsonb = s::jsonb AS same
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (s, c, i) ORDER BY i`,
          [texts, canonical],
        );
        expect(rows.map(({ printed }) => printed)).toEqual(canonical); // PostgreSQL would not write it otherwise
        expect(rows.every(({ same }) => same)).toBe(true); // and it is the value that was sent
      }),
      { numRuns: 60 },
    );
  });

  it('is one text for values that PostgreSQL calls equal', async () => {
    const pairs = fc.array(fc.tuple(json, json), { minLength: 50, maxLength: 50 });
    const near = fc.array(
      fc
        .tuple(numberText, fc.constantFrom('', '.0', '.00', '.5', 'e0', 'e1'))
        .map(([whole, tail]): [string, string] => {
          const plain = whole.replace(/[.e].*$/, '');
          return [plain, plain + tail];
        }),
      { minLength: 50, maxLength: 50 },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(pairs, near), async (couples) => {
        const { rows } = await client.query<{ same: boolean }>(
          `SELECT a::jsonb = b::jsonb AS same
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (a, b, i) ORDER BY i`,
          [couples.map(([a]) => a), couples.map(([, b]) => b)],
        );
        expect(couples.map(([a, b]) => canonicalOf(a) === canonicalOf(b))).toEqual(rows.map(({ same }) => same));
      }),
      { numRuns: 30 },
    );
  });
});

function canonicalOf(source: string): string {
  const parsed = parseJson(source);
  if ('refusal' in parsed) throw new Error(parsed.refusal.detail);
  const canonical = canonicalJson(parsed.value);
  if (typeof canonical !== 'string') throw new Error(`${source} is ${canonical.reason}`);
  return canonical;
}
