// @ts-check
import { SeededRandom } from './random.mjs';

/** @typedef {any} Publication */
/** The simulator's own makers of bodies (src/simulator/devices). @typedef {{ messages: any, Device: any, registrationOf: any, products: readonly any[] }} Makers */

const DEVICES_A_PRODUCT = 40;
const HOUR_MS = 3_600_000;
const PROPERTIES = ['Temperature', 'Humidity', 'Power', 'Mode', 'Serial', 'Position', 'Curve', 'Note', 'Switch'];
/** A number that JavaScript cannot hold is written between these. */
const RAW = /"@@([-0-9.e]+)@@"/g;

/**
 * A stream of messages of every kind that the platform has (protocol 7), beside the fleet's own: reports of today and of
 * before, batches, events, presence, owners, life cycles, tags, sub-devices, updates and custom topics, of a few hundred
 * devices in both forms. Devices say the same things again and contradict themselves within a millisecond, as they do.
 */
export class Workload {
  #random;
  #messages;
  #devices;
  #gateways;
  #users;
  #makers;

  /**
   * @param {string} seed
   * @param {Makers} makers
   */
  constructor(seed, makers) {
    this.#random = new SeededRandom(`workload/${seed}`);
    this.#messages = makers.messages;
    this.#makers = makers;
    this.#devices = makers.products
      .filter(({ role }) => role !== 'gateway')
      .flatMap((product) => this.#named(product, 'torture', DEVICES_A_PRODUCT));
    this.#gateways = makers.products
      .filter(({ role }) => role === 'gateway')
      .flatMap((product) => this.#named(product, 'torture-gateway', 5));
    this.#users = Array.from({ length: 30 }, (_, user) => ({
      identityId: `50torture${String(user).padStart(27, '0')}`,
      tenantId: 'TORTURE0000000000000000A',
    }));
  }

  /**
   * What happens next; one message mostly.
   * @param {number} now milliseconds since 1970
   * @returns {Publication[]}
   */
  next(now) {
    const { make } = this.#random.weighted(KINDS);
    const made = make({
      random: this.#random,
      messages: this.#messages,
      now,
      device: this.#random.pick(this.#devices),
      other: this.#random.pick(this.#devices),
      gateway: this.#random.pick(this.#gateways),
      user: this.#random.pick(this.#users),
      again: (device, iotId) => this.#again(device, iotId),
    });
    return [made].flat().map((publication) => ({
      ...publication,
      body: typeof publication.body === 'string' ? publication.body.replace(RAW, '$1') : publication.body,
    }));
  }

  /**
   * @param {any} product
   * @param {string} name
   * @param {number} count
   */
  #named(product, name, count) {
    const { Device, registrationOf } = this.#makers;
    return Array.from(
      { length: count },
      (_, number) => new Device(registrationOf(product, `${name}-${String(number + 1).padStart(3, '0')}`, 'torture')),
    );
  }

  /** The same device made anew on the platform. @param {any} device @param {string} iotId */
  #again(device, iotId) {
    const { Device } = this.#makers;
    const { product, deviceName, deviceSecret, createdAt } = device;
    return new Device({ product, deviceName, iotId, deviceSecret, createdAt });
  }
}

/**
 * @typedef {object} Scene
 * @property {SeededRandom} random
 * @property {any} messages
 * @property {number} now
 * @property {any} device
 * @property {any} other
 * @property {any} gateway
 * @property {any} user
 * @property {(device: any, iotId: string) => any} again
 */

/** @type {readonly { weight: number, make: (scene: Scene) => Publication | Publication[] }[]} */
const KINDS = [
  { weight: 550, make: (scene) => report(scene, scene.now - scene.random.whole(0, 2_000)) },
  { weight: 80, make: (scene) => report(scene, scene.now - scene.random.whole(0, 6 * HOUR_MS), true) },
  { weight: 10, make: failedReport },
  { weight: 60, make: (scene) => batch(scene, scene.random.whole(1, 20)) },
  { weight: 0.1, make: (scene) => batch(scene, 4_000) },
  { weight: 80, make: (scene) => raised(scene, false) },
  { weight: 20, make: (scene) => raised(scene, true) },
  {
    weight: 20,
    make: ({ random, messages, device, now }) => {
      const times = Array.from({ length: random.whole(1, 6) }, () => now - random.whole(0, HOUR_MS));
      return messages.eventBatch(device, someEvent(random), times, now);
    },
  },
  {
    weight: 60,
    make: ({ random, messages, device, now }) => {
      const at = now - random.whole(0, 5_000);
      return messages.status(device, random.chance(0.5), at, at - random.whole(0, 90_000), now);
    },
  },
  {
    weight: 20,
    make: ({ random, messages, device, now }) => {
      const reply = { requestId: String(random.whole(1, 1e9)), service: 'property/set', message: 'success', data: {} };
      return messages.downlinkReply(device, { ...reply, code: random.pick([200, 200, 6_205]) }, now);
    },
  },
  {
    weight: 30,
    make: ({ random, messages, device, user, now }) => {
      const iotId = random.chance(0.5) ? device.iotId : '';
      return messages.binding(
        device,
        user,
        random.chance(0.6),
        random.chance(0.5),
        now - random.whole(0, 10_000),
        iotId,
      );
    },
  },
  {
    weight: 12,
    make: ({ random, messages, device, again, now }) => {
      const action = random.pick(['create', 'delete', 'enable', 'disable']);
      const subject = random.chance(0.3) ? again(device, `Again${random.whole(1e9, 9e9)}000100`) : device;
      return messages.lifecycle(subject, action, now - random.whole(0, 60_000), subject.deviceSecret);
    },
  },
  {
    weight: 10,
    make: ({ random, messages, gateway, device, other, now }) => {
      const action = random.pick(['create', 'delete', 'enable', 'disable']);
      return messages.topology(gateway, action, [device, other], now - random.whole(0, 60_000));
    },
  },
  { weight: 8, make: ({ messages, gateway, device, other, now }) => messages.found(gateway, [device, other], now) },
  {
    weight: 20,
    make: ({ random, messages, device, now }) => {
      const tags = {
        room: random.pick(['kitchen', 'hall', '书房']),
        [`tag-${random.whole(1, 5)}`]: String(random.whole(1, 99)),
      };
      return messages.tags(device, tags, now - random.whole(0, 10_000));
    },
  },
  { weight: 20, make: upgrade },
  {
    weight: 30,
    make: ({ random, messages, device, other, now }) => {
      const { productKey, deviceName } = other;
      const body = random.pick([
        JSON.stringify({ seq: random.whole(1, 1e9), at: now }),
        JSON.stringify({ productKey, deviceName, gmtCreate: now, items: { Temperature: { value: 1, time: now } } }),
        `no JSON at all ${random.whole(1, 1e9)}`,
        Uint8Array.from({ length: 24 }, () => random.whole(0, 255)),
      ]);
      return messages.custom(device, random.pick(['update', 'log/line', 'raw']), body, now);
    },
  },
];

/** @param {Scene} scene @param {number} at @param {boolean} [history] */
function report({ random, messages, device, now }, at, history = false) {
  const items = Object.fromEntries(
    random
      .shuffled(PROPERTIES)
      .slice(0, random.whole(1, 4))
      .map((identifier) => [identifier, { value: valueOf(identifier, random), time: at - random.whole(0, 3) }]),
  );
  return messages.propertyPost(device, items, now, {}, history && device.voice === 'enterprise');
}

/** @param {Scene} scene */
function failedReport({ random, messages, device, now }) {
  const failed = { Mode: { code: 6_306, message: 'tsl parse: data type is not int -> Mode', time: now, value: '--' } };
  return messages.propertyPost(device, { Power: { value: random.whole(1, 100), time: now } }, now, failed);
}

/** @param {Scene} scene @param {number} samples */
function batch({ random, messages, device, now }, samples) {
  const identifiers = random.shuffled(PROPERTIES).slice(0, 2);
  const from = now - random.whole(samples * 100, samples * 100 + 24 * HOUR_MS);
  return messages.propertyBatch(
    device,
    Object.fromEntries(
      identifiers.map((identifier) => [
        identifier,
        Array.from({ length: samples }, (_, sample) => ({
          value: valueOf(identifier, random),
          time: from + sample * 100,
        })),
      ]),
    ),
    now,
  );
}

/** @param {Scene} scene @param {boolean} history */
function raised({ random, messages, device, now }, history) {
  const at = now - random.whole(0, history ? 6 * HOUR_MS : 2_000);
  return messages.eventPost(device, someEvent(random), at, now, history && device.voice === 'enterprise');
}

/** @param {SeededRandom} random */
function someEvent(random) {
  const type = random.pick(['info', 'alert', 'error']);
  return {
    identifier: `${type}Raised`,
    name: '报警',
    type,
    value: { code: random.whole(1, 500), text: `№ ${random.whole(1, 99)}` },
  };
}

/** @param {Scene} scene */
function upgrade({ random, messages, device, now }) {
  const job = {
    jobId: `job-${random.whole(1, 50)}`,
    taskId: `task-${random.whole(1, 500)}`,
    srcVersion: '1.0.0',
    destVersion: '1.1.0',
  };
  switch (random.whole(0, 3)) {
    case 0:
      return messages.upgradeResult(device, job, random.chance(0.8), now);
    case 1:
      return messages.upgradeProgress(device, job, random.whole(0, 100), now);
    case 2:
      return messages.moduleVersion(device, `1.${random.whole(0, 9)}.0`, now);
    default:
      return messages.upgradeJob(
        device.product,
        'package-1',
        job.jobId,
        random.pick(['PLANNED', 'IN_PROGRESS', 'COMPLETED']),
        now,
      );
  }
}

/**
 * @param {string} identifier
 * @param {SeededRandom} random
 */
function valueOf(identifier, random) {
  switch (identifier) {
    case 'Temperature':
      return random.whole(-2_000, 4_500) / 100;
    case 'Humidity':
      return random.pick(['@@99.0@@', '@@99@@', random.whole(0, 100)]);
    case 'Serial':
      return `@@${random.whole(1e9, 9e9)}${random.whole(100_000_000, 999_999_999)}@@`;
    case 'Power':
      return `@@${random.whole(0, 99)}.${random.whole(10_000_000, 99_999_999)}${random.whole(10_000_000, 99_999_999)}@@`;
    case 'Position':
      return { x: random.whole(0, 100), y: { deep: [random.whole(0, 9), null, '深'] } };
    case 'Curve':
      return Array.from({ length: 5 }, () => random.whole(0, 9));
    case 'Note':
      return random.pick(['', 'plain', '“quoted” \\ and \n new line', '🙂']);
    case 'Switch':
      return random.chance(0.5);
    default:
      return random.whole(0, 5);
  }
}
