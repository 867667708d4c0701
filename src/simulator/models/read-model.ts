import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { bundled } from '../bundled.js';
import { BadDescription, parseDescription, readDescription, type Path } from '../description-file.js';
import type { DataType, ModelEventType, ModelProperty, ModelService, ThingModel } from './thing-model.js';

// Reads thing models in the form the platform's console exports (TSL). What the simulator has no use for is passed over.

/** Limits of protocol section 9. */
const LIMITS = { text: 10_240, array: 512, struct: 50, enum: 100, featuresPerModule: 300, modules: 200 } as const;
/** How deep arrays and structs may lie in one another. */
const DEEPEST = 3;
const LARGEST_QUICK_BYTES = 1_024 * 1_024;
const INT32 = { min: -(2 ** 31), max: 2 ** 31 - 1 } as const;

const decimal = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/, 'must be a number')
    .transform(Number),
]);
const wholeUpTo = (most: number, unit: string) =>
  decimal.refine((value) => Number.isInteger(value) && value >= 1 && value <= most, `must be 1 to ${most} ${unit}`);

const range = z
  .object({
    min: decimal.optional(),
    max: decimal.optional(),
    step: decimal.optional(),
    unit: z.string().optional(),
  })
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    path: ['min'],
    error: 'is above max',
  })
  .optional();
const numeric = <T extends 'int' | 'float' | 'double'>(type: T) =>
  z.object({ type: z.literal(type), specs: range }).transform(({ specs = {} }): DataType => {
    const whole = type === 'int' ? INT32 : null;
    return {
      type,
      min: specs.min ?? whole?.min ?? null,
      max: specs.max ?? whole?.max ?? null,
      step: specs.step ?? null,
      unit: specs.unit ?? null,
    };
  });
const named = <T extends 'bool' | 'enum'>(type: T, most: number) =>
  z
    .object({
      type: z.literal(type),
      specs: z
        .record(z.string().regex(/^-?\d{1,10}$/, 'its values are whole numbers'), z.string())
        .refine((names) => Object.keys(names).length > 0, 'names no value')
        .refine((names) => Object.keys(names).length <= most, `names more than ${most} values`),
    })
    .transform(({ specs }): DataType => ({
      type,
      names: new Map(Object.entries(specs).map(([value, name]) => [Number(value), name])),
    }));
const SCALARS = [
  numeric('int'),
  numeric('float'),
  numeric('double'),
  named('bool', 2),
  named('enum', LIMITS.enum),
  z
    .object({ type: z.literal('text'), specs: z.object({ length: wholeUpTo(LIMITS.text, 'characters') }).optional() })
    .transform(({ specs }): DataType => ({ type: 'text', length: specs?.length ?? LIMITS.text })),
  z.object({ type: z.literal('date') }).transform((): DataType => ({ type: 'date' })),
] as const;

/** Told apart by hand rather than as a union, so that an error names the value that is wrong and not every type there is. */
function dataTypeAt(depth: number): z.ZodType<DataType> {
  const known = new Map<string, z.ZodType<DataType>>(
    SCALARS.map((schema) => [schema.in.shape.type.value, schema as z.ZodType<DataType>]),
  );
  if (depth > 0) {
    const inner = dataTypeAt(depth - 1);
    known.set(
      'array',
      z
        .object({ specs: z.object({ size: wholeUpTo(LIMITS.array, 'elements'), item: inner }) })
        .transform(({ specs }): DataType => ({ type: 'array', size: specs.size, item: specs.item })),
    );
    known.set(
      'struct',
      z
        .object({ specs: z.array(fieldOf(inner)).min(1).max(LIMITS.struct, `has more than ${LIMITS.struct} members`) })
        .transform(({ specs }): DataType => ({ type: 'struct', members: specs })),
    );
  }
  return z.unknown().transform((given, context): DataType => {
    const type = typeof given === 'object' && given !== null && 'type' in given ? given.type : undefined;
    const schema = typeof type === 'string' ? known.get(type) : undefined;
    if (!schema) {
      const told = type === undefined ? 'is missing' : `must be one of ${[...known.keys()].join(', ')} here`;
      context.addIssue({ code: 'custom', path: ['type'], message: told });
      return z.NEVER;
    }
    const parsed = schema.safeParse(given);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  });
}

const identifier = z.string().regex(/^\w{1,50}$/, 'must be 1 to 50 letters, digits and underscores');
const fieldOf = (dataType: z.ZodType<DataType>) => z.object({ identifier, name: z.string().default(''), dataType });
const field = fieldOf(dataTypeAt(DEEPEST));

const property = field.extend({ accessMode: z.enum(['r', 'rw', 'w']).default('r') });
const event = z.object({
  identifier,
  name: z.string().default(''),
  type: z.enum(['info', 'alert', 'error']).default('info'),
  outputData: z.array(field).default([]),
});
const service = z.object({
  identifier,
  name: z.string().default(''),
  callType: z.enum(['async', 'sync']).default('async'),
  // That of `get` lists identifiers.
  inputData: z.array(z.union([z.string(), field])).default([]),
  outputData: z.array(field).default([]),
});
const features = {
  properties: z.array(property).default([]),
  events: z.array(event).default([]),
  services: z.array(service).default([]),
};
const functionBlock = z.object({ functionBlockId: identifier, ...features });
const tsl = z.object({
  profile: z.object({ productKey: z.string().optional() }).optional(),
  /** Of a file that holds a single module. */
  functionBlockId: identifier.optional(),
  ...features,
  functionBlocks: z.array(functionBlock).max(LIMITS.modules, `are more than ${LIMITS.modules} modules`).default([]),
});
type Tsl = z.infer<typeof tsl>;
type Features = Pick<Tsl, 'properties' | 'events' | 'services'>;

/** Every model has these; they are the ways of telling and setting properties, no features of their own. */
const BUILT_IN = ['post', 'set', 'get'];
/** Mean something else in the topic of an event. */
const RESERVED_EVENTS = ['property', 'batch'];

/**
 * Reads a thing model. `name` is `builtin:<name>` or a path, relative to `directory`. Throws `BadDescription` with file and
 * line.
 */
export function readModel(name: string, directory: string): ThingModel {
  const file = modelFile(name, directory);
  return quickly(file) ?? toModel(readDescription(file, tsl));
}

/**
 * A good JSON file is read in a tenth of the time that it takes to remember the lines of everything. Null for one that is not
 * good in any way: it is then read slowly, to say what is wrong and where.
 */
function quickly(file: string): ThingModel | null {
  try {
    if (statSync(file).size > LARGEST_QUICK_BYTES) return null;
    const value = tsl.parse(JSON.parse(readFileSync(file, 'utf8')));
    return toModel({ value, wrong: (_, text) => new BadDescription(text) });
  } catch {
    return null;
  }
}

/** The same from text; `file` is named in errors. */
export function parseModel(file: string, text: string): ThingModel {
  return toModel(parseDescription(file, text, tsl));
}

const BUILTIN = 'builtin:';

/** Where a model lies. Throws `BadDescription` when no model of that name comes with the simulator. */
export function modelFile(name: string, directory: string): string {
  if (!name.startsWith(BUILTIN)) return isAbsolute(name) ? name : resolve(directory, name);
  const wanted = name.slice(BUILTIN.length);
  const known = builtinModels();
  if (known.includes(wanted)) return bundled(`models/${wanted}.json`);
  throw new BadDescription(`no model ${name} comes with the simulator; there are ${known.join(', ')}`);
}

/** Names of the models that come with the simulator. */
export const builtinModels = (): string[] =>
  readdirSync(bundled('models'))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();

/** A model's file, and how to say what is wrong in it. */
interface Source {
  readonly value: Tsl;
  wrong(path: Path, text: string): BadDescription;
}

function toModel(description: Source): ThingModel {
  const { value } = description;
  const model = {
    productKey: value.profile?.productKey ?? null,
    properties: new Map<string, ModelProperty>(),
    events: new Map<string, ModelEventType>(),
    services: new Map<string, ModelService>(),
  };
  addModule(description, model, [], value, value.functionBlockId ?? null);
  value.functionBlocks.forEach((block, index) => {
    addModule(description, model, ['functionBlocks', index], block, block.functionBlockId);
  });
  return model;
}

interface GrowingModel {
  readonly properties: Map<string, ModelProperty>;
  readonly events: Map<string, ModelEventType>;
  readonly services: Map<string, ModelService>;
}

/** Features of a module other than the default one are called `module:feature`. */
function addModule(description: Source, model: GrowingModel, at: Path, module: Features, id: string | null): void {
  const prefix = id === null || id === 'default' ? '' : `${id}:`;
  let count = 0;
  const add = <From extends { identifier: string; name: string }, To>(
    kind: keyof Features,
    features: readonly From[],
    into: Map<string, To>,
    convert: (feature: From, names: { identifier: string; name: string }) => To,
  ): void => {
    features.forEach((feature, index) => {
      const { identifier: own, name } = feature;
      if (kind !== 'properties' && BUILT_IN.includes(own)) return;
      const identifier = `${prefix}${own}`;
      const wrong = (text: string) => description.wrong([...at, kind, index, 'identifier'], `${kind}: ${text}`);
      if (into.has(identifier)) throw wrong(`${identifier} stands there twice`);
      if (kind === 'events' && RESERVED_EVENTS.includes(own)) throw wrong(`${own} is a word of the platform's own`);
      if (++count > LIMITS.featuresPerModule) throw wrong(`more than ${LIMITS.featuresPerModule} features in a module`);
      into.set(identifier, convert(feature, { identifier, name: name || own }));
    });
  };
  add('properties', module.properties, model.properties, ({ dataType, accessMode }, names) => ({
    ...names,
    dataType,
    writable: accessMode !== 'r',
  }));
  add('events', module.events, model.events, ({ type, outputData }, names) => ({
    ...names,
    type,
    outputs: outputData,
  }));
  add('services', module.services, model.services, ({ callType, inputData, outputData }, names) => ({
    ...names,
    async: callType === 'async',
    inputs: inputData.filter((input) => typeof input !== 'string'),
    outputs: outputData,
  }));
}
