import { modelFile, readModel } from '../models/read-model.js';
import type { ThingModel } from '../models/thing-model.js';
import type { ProductPlan } from '../devices/products-section.js';
import type { Product, Voice } from '../devices/product.js';
import type { Random } from '../random.js';
import { behavioursBeside } from '../models/read-behaviours.js';
import { ModelThing } from './model-thing.js';
import { SilentThing } from './silent-thing.js';
import type { Thing } from './thing.js';
import { Gateway, Probe } from './things/gateway.js';
import { Lock } from './things/lock.js';
import { Meter } from './things/meter.js';
import { Purifier } from './things/purifier.js';
import { Thermostat } from './things/thermostat.js';

/** What the fleet is made of: a product, and the physics of its devices. */
export interface Kind {
  readonly product: Product;
  /** First part of its devices' names. */
  readonly names: string;
  /** Key of the product that its devices' gateways are of. */
  readonly gateway: string | null;
  /** Of devices whose secret somebody chose. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly build: (random: Random) => Thing;
}

/** Models whose things have physics of their own, unless somebody says how they behave. */
const PHYSICS: Readonly<Record<string, (random: Random) => Thing>> = {
  'builtin:lock': (random) => new Lock(random),
  'builtin:air-purifier': (random) => new Purifier(random),
  'builtin:thermostat': (random) => new Thermostat(random),
  'builtin:electricity-meter': (random) => new Meter(random),
  'builtin:gateway': (random) => new Gateway(random),
  'builtin:temperature-probe': (random) => new Probe(random),
};

export function kindOf({ product, modelName, behaviour, names, gateway, devices }: ProductPlan): Kind {
  const { model } = product;
  const own = modelName === null || behaviour ? undefined : PHYSICS[modelName];
  const build =
    own ?? (model ? (random: Random) => new ModelThing(model, behaviour ?? {}, random) : () => new SilentThing());
  return { product, names, gateway, secrets: new Map(devices.map(({ name, secret }) => [name, secret])), build };
}

/** The virtual devices of a world's products, in their order. */
export const membersOf = (plans: readonly ProductPlan[]): Kind[] =>
  plans.flatMap((plan) => {
    const kind = kindOf(plan);
    return Array.from({ length: plan.virtualDevices }, () => kind);
  });

type DemoProduct = readonly [
  productKey: string,
  model: string,
  names: string,
  deviceType: string,
  voice: Voice,
  role: Product['role'],
];

/** Each in the form that a maker of such devices would meet. */
const DEMO: readonly DemoProduct[] = [
  ['a1DemoLock1', 'lock', 'lock', 'SmartDoor', 'living', 'device'],
  ['a1DemoAir02', 'air-purifier', 'purifier', 'AirPurifier', 'living', 'device'],
  ['a1DemoHeat3', 'thermostat', 'thermostat', 'Thermostat', 'living', 'device'],
  ['h9DemoMete4', 'electricity-meter', 'meter', 'CustomCategory', 'enterprise', 'device'],
  ['h9DemoGate5', 'gateway', 'gateway', 'CustomCategory', 'enterprise', 'gateway'],
  ['h9DemoProb6', 'temperature-probe', 'probe', 'CustomCategory', 'enterprise', 'sub-device'],
  ['h9DemoMqtt7', 'env-sensor', 'esp32', 'CustomCategory', 'enterprise', 'device'],
];
/** Real devices may sign in as these over MQTT; they have no virtual life. */
const DEMO_MQTT_PRODUCT = 'h9DemoMqtt7';
const DEMO_MQTT_DEVICES = ['esp32-001', 'esp32-002', 'esp32-003'].map((name) => ({
  name,
  secret: `demoDeviceSecret-${name}`,
}));

const models = new Map<string, ThingModel>();

/** What there is where no world file says anything else; `both` leaves each product the form its maker would meet. */
export function demoProducts(flavour: Voice | 'both'): ProductPlan[] {
  return DEMO.map(([productKey, name, names, deviceType, voice, role]) => {
    const modelName = `builtin:${name}`;
    const model = models.get(modelName) ?? readModel(modelName, '.');
    models.set(modelName, model);
    const beside = behavioursBeside(modelFile(modelName, '.'), model);
    return {
      product: {
        productKey,
        deviceType,
        voice: flavour === 'both' ? voice : flavour,
        role,
        tenant: null,
        model,
        validation: 'weak',
        rawScript: null,
        messageScript: null,
      },
      modelName,
      behaviour: Object.keys(beside).length > 0 ? beside : null,
      virtualDevices: 0,
      names,
      gateway: role === 'sub-device' ? 'h9DemoGate5' : null,
      devices: productKey === DEMO_MQTT_PRODUCT ? DEMO_MQTT_DEVICES : [],
    };
  });
}

/** The demo fleet repeats this line-up, so that a small one has something of everything. */
const LINE_UP = [
  'a1DemoLock1',
  'a1DemoAir02',
  'a1DemoHeat3',
  'h9DemoMete4',
  'h9DemoGate5',
  'h9DemoProb6',
  'h9DemoProb6',
  'a1DemoHeat3',
  'a1DemoAir02',
  'h9DemoMete4',
  'a1DemoLock1',
  'h9DemoProb6',
];

/** So many virtual devices of the demo's products. */
export function demoMembers(plans: readonly ProductPlan[], devices: number): Kind[] {
  const kinds = new Map(plans.map((plan) => [plan.product.productKey, kindOf(plan)]));
  return Array.from({ length: devices }, (_, i) => {
    const kind = kinds.get(LINE_UP[i % LINE_UP.length] ?? '');
    if (!kind) throw new Error('The line-up names a product that the demo does not have');
    return kind;
  });
}
