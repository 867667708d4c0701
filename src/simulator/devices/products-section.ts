import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { BadDescription, type Description, type Path } from '../description-file.js';
import { behaviours, checkBehaviours, type Behaviours } from '../models/behaviour.js';
import { behavioursBeside } from '../models/read-behaviours.js';
import { modelFile, readModel } from '../models/read-model.js';
import type { ThingModel } from '../models/thing-model.js';
import { enterpriseTenant, livingTenant } from '../platform/tenants.js';
import type { Product, Voice } from './product.js';

// The sections `products` and `fleet` of a world file.

/** What a script of a product may be long, as on the platform. */
const MAX_SCRIPT_BYTES = 120 * 1_024;
/** More than one process can keep alive with an ordinary heap. */
const MOST_VIRTUAL = 100_000;

/** Keys that look like numbers need no quotes. */
const key = z.union([z.string(), z.number().int().transform(String)]);
const deviceName = z.string().regex(/^[\w.:@-]{1,64}$/, 'must be 1 to 64 letters, digits and any of - _ . : @');

export const productsSection = z.array(
  z.strictObject({
    productKey: z.string().regex(/^\w{1,64}$/, 'must be 1 to 64 letters and digits'),
    /** appKey of a Living app or instanceId of an Enterprise instance; without it the product is everybody's. */
    tenant: key.optional(),
    /** The form of its messages; follows from the tenant. */
    voice: z.enum(['living', 'enterprise']).optional(),
    /** `builtin:<name>`, or a TSL file relative to this one. */
    model: z.string().optional(),
    deviceType: z.string().max(64).default('CustomCategory'),
    role: z.enum(['device', 'gateway', 'sub-device']).default('device'),
    /** Product of the gateways that its devices sit behind. */
    gateway: z.string().optional(),
    validation: z.enum(['weak', 'none']).default('weak'),
    behaviour: behaviours.optional(),
    virtualDevices: z.number().int().min(0).max(MOST_VIRTUAL).default(0),
    /** First part of the virtual devices' names; they are counted from 001. */
    names: deviceName.optional(),
    /** Devices with a secret of your own, for real devices; one named like a virtual one is that one. */
    devices: z.array(z.strictObject({ name: deviceName, secret: z.string().min(1).max(256) })).default([]),
    /** JavaScript files, relative to this one. */
    rawScript: z.string().optional(),
    messageScript: z.string().optional(),
  }),
);

export const fleetSection = z.strictObject({
  /** Of everything that is left to chance. */
  seed: key.optional(),
  /** Messages/s of the whole fleet. */
  rate: z.number().min(0).max(100_000).optional(),
});

export type ProductsSection = z.infer<typeof productsSection>;
export type FleetSection = z.infer<typeof fleetSection>;

/** A product and what devices of it there are. */
export interface ProductPlan {
  readonly product: Product;
  /** Name of the model, which for `builtin:…` says how its things behave unless `behaviour` does. */
  readonly modelName: string | null;
  readonly behaviour: Behaviours | null;
  readonly virtualDevices: number;
  /** First part of the virtual devices' names. */
  readonly names: string;
  /** Key of the product whose devices are their gateways. */
  readonly gateway: string | null;
  /** Devices whose secret somebody chose. */
  readonly devices: readonly { readonly name: string; readonly secret: string }[];
}

/** What a world file says beside the products: where it lies, and whose keys it knows. */
export interface ProductsContext {
  /** Folder of the file. */
  readonly directory: string;
  readonly appKeys: readonly string[];
  readonly instanceIds: readonly string[];
}

/**
 * Reads models, behaviours and scripts of the products at `path` of a description. Throws `BadDescription` with the first
 * thing that is wrong.
 */
export function readProducts(
  description: Description<unknown>,
  path: Path,
  products: ProductsSection,
  context: ProductsContext,
): ProductPlan[] {
  const plans = products.map((each, index) => readProduct(description, [...path, index], each, context));
  const roles = new Map<string, Product['role']>();
  plans.forEach(({ product }, index) => {
    if (roles.has(product.productKey)) {
      throw description.wrong([...path, index, 'productKey'], `product ${product.productKey} stands there twice`);
    }
    roles.set(product.productKey, product.role);
  });
  plans.forEach(({ product, gateway, virtualDevices }, index) => {
    const at = (field: string): Path => [...path, index, field];
    if (gateway !== null && roles.get(gateway) !== 'gateway') {
      throw description.wrong(at('gateway'), `gateway: there is no product ${gateway} with role gateway`);
    }
    if (product.role === 'sub-device' && gateway === null && virtualDevices > 0) {
      throw description.wrong(at('role'), 'role: a sub-device needs `gateway`, the product of its gateways');
    }
  });
  return plans;
}

function readProduct(
  description: Description<unknown>,
  path: Path,
  given: ProductsSection[number],
  { directory, appKeys, instanceIds }: ProductsContext,
): ProductPlan {
  const wrong = (field: string, text: string): BadDescription =>
    description.wrong([...path, field], `${field}: ${text}`);
  const owner = ownerOf(given.tenant, appKeys, instanceIds);
  if (given.tenant !== undefined && !owner) {
    throw wrong('tenant', `there is no Living app or Enterprise instance ${JSON.stringify(given.tenant)}`);
  }
  if (owner && given.voice !== undefined && given.voice !== owner.voice) {
    throw wrong('voice', `its tenant speaks ${owner.voice}`);
  }
  const voice = owner?.voice ?? given.voice ?? 'enterprise';
  const model = given.model === undefined ? null : modelOf(given.model, directory, wrong);
  if (!model && given.virtualDevices > 0 && voice === 'living') {
    throw wrong('virtualDevices', 'a Living product needs a model to have something to say');
  }
  if (given.behaviour) {
    if (!model) throw wrong('behaviour', 'needs a model');
    const found = checkBehaviours(model.model, given.behaviour);
    if (found) {
      const full = ['behaviour', ...found.path];
      throw description.wrong([...path, ...full], `${full.join('.')}: ${found.text}`);
    }
  }
  const twice = given.devices.find(({ name }, index) => given.devices.findIndex((one) => one.name === name) < index);
  if (twice) throw wrong('devices', `${twice.name} stands there twice`);
  const behaviour = { ...model?.beside, ...given.behaviour };
  const script = (field: 'rawScript' | 'messageScript'): string | null => {
    const file = given[field];
    return file === undefined ? null : readScript(file, directory, (text) => wrong(field, text));
  };
  return {
    product: {
      productKey: given.productKey,
      deviceType: given.deviceType,
      voice,
      role: given.role,
      tenant: owner?.tenant ?? null,
      model: model?.model ?? null,
      validation: given.validation,
      rawScript: script('rawScript'),
      messageScript: script('messageScript'),
    },
    modelName: given.model ?? null,
    behaviour: Object.keys(behaviour).length > 0 ? behaviour : null,
    virtualDevices: given.virtualDevices,
    names: given.names ?? nameFrom(given.model ?? given.productKey),
    gateway: given.gateway ?? null,
    devices: given.devices,
  };
}

function ownerOf(
  given: string | undefined,
  appKeys: readonly string[],
  instanceIds: readonly string[],
): { voice: Voice; tenant: string } | null {
  if (given === undefined) return null;
  if (appKeys.includes(given)) return { voice: 'living', tenant: livingTenant(given) };
  if (instanceIds.includes(given)) return { voice: 'enterprise', tenant: enterpriseTenant(given) };
  return null;
}

function modelOf(
  name: string,
  directory: string,
  wrong: (field: string, text: string) => BadDescription,
): { model: ThingModel; beside: Behaviours } {
  let file: string;
  try {
    file = modelFile(name, directory);
  } catch (error) {
    throw error instanceof BadDescription ? wrong('model', error.message) : error;
  }
  // What is wrong within the model's file is told with that file's lines.
  const model = readModel(name, directory);
  return { model, beside: behavioursBeside(file, model) };
}

function readScript(file: string, directory: string, wrong: (text: string) => BadDescription): string {
  const path = isAbsolute(file) ? file : resolve(directory, file);
  try {
    if (statSync(path).size > MAX_SCRIPT_BYTES) throw wrong(`${path} is larger than ${MAX_SCRIPT_BYTES} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof BadDescription) throw error;
    throw wrong(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}

/** `builtin:water-meter` and `models/water-meter.json` name devices `water-meter-001` and so on. */
const nameFrom = (name: string): string =>
  name
    .replace(/^builtin:/, '')
    .replace(/^.*[\\/]/, '')
    .replace(/\.(json|ya?ml)$/i, '')
    .replace(/[^\w-]/g, '-')
    .slice(0, 40);
