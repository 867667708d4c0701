import type { Product, Voice } from '../devices/product.js';
import type { Random } from '../random.js';
import { Gateway, Probe } from './things/gateway.js';
import { Lock } from './things/lock.js';
import { Meter } from './things/meter.js';
import { Purifier } from './things/purifier.js';
import { Thermostat } from './things/thermostat.js';
import type { Thing } from './thing.js';

/** What the fleet is made of: a product, and the physics of its devices. */
export interface Kind {
  /** First part of its devices' names. */
  readonly name: string;
  readonly product: Product;
  readonly build: (random: Random) => Thing;
}

/** `voice` is the one when both flavours are played: what a maker of such devices would buy. */
function kind(
  name: string,
  productKey: string,
  deviceType: string,
  voice: Voice,
  role: Product['role'],
  build: Kind['build'],
): Kind {
  const scripts = { rawScript: null, messageScript: null };
  return {
    name,
    product: { productKey, deviceType, voice, role, tenant: null, model: null, validation: 'weak', ...scripts },
    build,
  };
}

const lock = kind('lock', 'a1DemoLock1', 'SmartDoor', 'living', 'device', (random) => new Lock(random));
const purifier = kind('purifier', 'a1DemoAir02', 'AirPurifier', 'living', 'device', (random) => new Purifier(random));
const thermostat = kind(
  'thermostat',
  'a1DemoHeat3',
  'Thermostat',
  'living',
  'device',
  (random) => new Thermostat(random),
);
const meter = kind('meter', 'h9DemoMete4', 'CustomCategory', 'enterprise', 'device', (random) => new Meter(random));
const gateway = kind(
  'gateway',
  'h9DemoGate5',
  'CustomCategory',
  'enterprise',
  'gateway',
  (random) => new Gateway(random),
);
/** Sits behind a gateway. */
export const probe = kind(
  'probe',
  'h9DemoProb6',
  'CustomCategory',
  'enterprise',
  'sub-device',
  (random) => new Probe(random),
);

/** The fleet repeats this line-up, so that a small one has something of everything and each probe a gateway before it. */
export const LINE_UP: readonly Kind[] = [
  lock,
  purifier,
  thermostat,
  meter,
  gateway,
  probe,
  probe,
  thermostat,
  purifier,
  meter,
  lock,
  probe,
];
