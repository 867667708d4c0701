import type { Random } from '../random.js';
import { Gateway, Probe } from './things/gateway.js';
import { Lock } from './things/lock.js';
import { Meter } from './things/meter.js';
import { Purifier } from './things/purifier.js';
import { Thermostat } from './things/thermostat.js';
import type { Thing } from './thing.js';

/** How a device's messages look: the form of the Living platform or of the Enterprise one. */
export type Voice = 'living' | 'enterprise';

export interface Product {
  /** First part of its devices' names. */
  readonly kind: string;
  readonly productKey: string;
  /** Category key, sent as deviceType. */
  readonly deviceType: string;
  /** The voice when both flavours are played: what a maker of such devices would buy. */
  readonly voice: Voice;
  readonly role: 'device' | 'gateway' | 'sub-device';
  readonly build: (random: Random) => Thing;
}

const lock: Product = {
  kind: 'lock',
  productKey: 'a1DemoLock1',
  deviceType: 'SmartDoor',
  voice: 'living',
  role: 'device',
  build: (random) => new Lock(random),
};
const purifier: Product = {
  kind: 'purifier',
  productKey: 'a1DemoAir02',
  deviceType: 'AirPurifier',
  voice: 'living',
  role: 'device',
  build: (random) => new Purifier(random),
};
const thermostat: Product = {
  kind: 'thermostat',
  productKey: 'a1DemoHeat3',
  deviceType: 'Thermostat',
  voice: 'living',
  role: 'device',
  build: (random) => new Thermostat(random),
};
const meter: Product = {
  kind: 'meter',
  productKey: 'h9DemoMete4',
  deviceType: 'CustomCategory',
  voice: 'enterprise',
  role: 'device',
  build: (random) => new Meter(random),
};
const gateway: Product = {
  kind: 'gateway',
  productKey: 'h9DemoGate5',
  deviceType: 'CustomCategory',
  voice: 'enterprise',
  role: 'gateway',
  build: (random) => new Gateway(random),
};
/** Sits behind a gateway. */
export const probe: Product = {
  kind: 'probe',
  productKey: 'h9DemoProb6',
  deviceType: 'CustomCategory',
  voice: 'enterprise',
  role: 'sub-device',
  build: (random) => new Probe(random),
};

/** The fleet repeats this line-up, so that a small one has something of everything and each probe a gateway before it. */
export const LINE_UP: readonly Product[] = [
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
