import { z } from 'zod';
import { RECORD_FATES } from '../platform/message-log.js';
import { FLAGS } from '../platform/topic.js';

// What people may send to the control API. Every schema is strict: a misspelt name is an error, never ignored.

/** RFC 3339 or milliseconds since 1970; read as the latter. */
const instant = z.string().transform((given, context) => {
  const ms = /^-?\d{1,16}$/.test(given) ? Number(given) : /^\d{4}-\d\d-\d\dT/.test(given) ? Date.parse(given) : NaN;
  if (!Number.isNaN(ms)) return ms;
  context.addIssue({
    code: 'custom',
    message: 'must be a time such as 2026-01-31T08:00:00Z, or milliseconds since 1970',
  });
  return z.NEVER;
});

const wholeText = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max));

const limit = wholeText(1, 1_000).default(50);

export const MESSAGE_SEARCH = z.strictObject({
  device: z.string().max(256).optional(),
  messageId: z.string().max(256).optional(),
  topic: z.string().max(512).optional(),
  keyword: z.string().max(512).optional(),
  from: instant.optional(),
  to: instant.optional(),
  origin: z.enum(['fleet', 'mqtt', 'control', 'rule', 'fault']).optional(),
  fate: z.enum(RECORD_FATES).optional(),
  group: z.string().max(256).optional(),
  before: wholeText(1, Number.MAX_SAFE_INTEGER).optional(),
  limit,
});

export const ONE_MESSAGE = z.strictObject({ as: z.enum(['text', 'hex', 'base64']).optional() });

export const DEVICE_SEARCH = z.strictObject({
  product: z.string().max(128).optional(),
  online: z.enum(['true', 'false']).optional(),
  name: z.string().max(128).optional(),
  after: z.string().max(256).optional(),
  limit,
});

export const SUMMARY = z.strictObject({ since: wholeText(0, Number.MAX_SAFE_INTEGER).default(0) });

/** Nothing, for changes that need no words. */
export const NOTHING = z.strictObject({});

/** Base64 of up to 512 KiB. */
const base64 = z
  .string()
  .max(700_000)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'must be Base64');

export const PUBLICATION = z
  .strictObject({
    topic: z.string().max(1_024).nullable(),
    body: z.string().optional(),
    bodyBase64: base64.optional(),
    messageId: z.string().min(1).max(128).nullable().optional(),
    generateTime: z.union([z.int(), z.string().max(64), z.null()]).optional(),
    qos: z.int().min(0).max(1).nullable().optional(),
    tenant: z.string().max(256).nullable().optional(),
    properties: z
      .record(z.string().min(1).max(128), z.union([z.string().max(4_096), z.number(), z.boolean(), z.null()]))
      .optional(),
    bodyForm: z.enum(['data', 'several-data', 'value-string', 'value-binary']).optional(),
  })
  .refine(({ body, bodyBase64 }) => (body === undefined) !== (bodyBase64 === undefined), {
    path: ['body'],
    message: 'give either body (text) or bodyBase64',
  });

/** Numbers that JSON.parse has changed are refused rather than sent wrongly. */
const exactNumber = z
  .number()
  .refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), 'does not fit a double; send it as text');
type Params = z.ZodType<string | number | boolean | null | readonly unknown[] | Readonly<Record<string, unknown>>>;
const json: Params = z.lazy(() =>
  z.union([z.string(), exactNumber, z.boolean(), z.null(), z.array(json), z.record(z.string(), json)]),
);

export const COMMAND = z.strictObject({
  service: z.string().min(1).max(128),
  params: z.record(z.string().max(128), json).default({}),
});

export const SYNC = z.strictObject({ on: z.boolean() });
export const EXCLUDED = z.strictObject({ products: z.array(z.string().min(1).max(128)).max(10_000) });
export const NEW_GROUP = z.strictObject({ consumerGroupId: z.string().min(1).max(64) });
export const SUBSCRIPTION = z.strictObject({
  messages: z.array(z.enum(FLAGS)).min(1),
  groups: z.array(z.string().min(1).max(64)).min(1),
});
/** `forMs`: end it after so many milliseconds, of the simulated clock or the world's. */
export const NEW_FAULT = z.strictObject({
  fault: z.string().min(1).max(64),
  params: z.record(z.string(), z.unknown()).default({}),
  forMs: z
    .number()
    .positive()
    .max(31 * 86_400_000)
    .optional(),
  clock: z.enum(['simulated', 'world']).optional(),
  seed: z.string().max(256).optional(),
});
