import type { Publication } from '../platform/platform-message.js';
import type { Random } from '../random.js';
import type { VirtualDevice } from './virtual-device.js';
import type { Json } from '../devices/json.js';
import * as messages from '../devices/messages.js';
import { flap, goOffline, goOnline, silenceMs } from '../devices/presence.js';
import type { Voice } from '../devices/product.js';
import { checkValues } from '../models/check-values.js';
import type { DataType, EventType } from '../models/thing-model.js';
import { anyValue, fillFields } from './fill-fields.js';
import { upgradeStory } from './upgrade-story.js';
import type { Story, World } from './world.js';

/** Stories about one device that is picked so. */
const storyOf =
  (pick: 'pickAwake' | 'pickRestless') =>
  (
    name: string,
    voice: Voice | null,
    tell: (device: VirtualDevice, world: World, now: number) => Publication[],
    test: (device: VirtualDevice) => boolean = () => true,
  ): Story => ({
    name,
    voice,
    tell: (world, now) => {
      const device = world[pick](voice, test);
      return device ? tell(device, world, now) : [];
    },
  });
const about = storyOf('pickAwake');
/** A story that takes a device away for a while. */
const away = storyOf('pickRestless');

/** What happens to a device later, unless a real one has taken its place by then. */
function later(device: VirtualDevice, { agenda }: World, at: number, happen: (now: number) => Publication[]): void {
  agenda.at(at, (now) => (device.takenOver ? [] : happen(now)));
}

const speaksModel = ({ product }: VirtualDevice): boolean => product.model !== null;

/** What a device raises, under the name that its model gives it. */
function raisedBy(device: VirtualDevice, type: EventType, now: number): messages.ModelEvent | null {
  const raised = device.thing.raise(type, now);
  return raised && { ...raised, name: device.product.model?.events.get(raised.identifier)?.name ?? raised.identifier };
}

const event = (type: EventType): Story =>
  about(`event-${type}`, null, (device, { random }, now) => {
    const raised = raisedBy(device, type, now);
    if (!raised) return [];
    device.lastPacketAt = now;
    return [messages.eventPost(device, raised, now - random.whole(5, 80), now)];
  });

function comeBack(device: VirtualDevice, world: World, at: number): void {
  later(device, world, at, (now) => {
    device.busy = false;
    return [...goOnline(device, device.subDevices, now), world.fullReport(device, now)];
  });
}

const reboot = away('reboot', null, (device, world, now) => {
  comeBack(device, world, now + world.random.whole(5_000, 40_000));
  device.lastPacketAt = now;
  return goOffline(device, device.subDevices, now);
});

/** Says nothing at first: the platform notices only when the keep-alive is over. */
const fallSilent = away('fall-silent', null, (device, world) => {
  const all = [device, ...device.subDevices];
  for (const each of all) each.busy = true;
  world.agenda.at(device.lastPacketAt + silenceMs(world.random, device.keepAliveMs), (noticedAt) => {
    for (const each of all) each.busy = false;
    if (device.takenOver) return [];
    comeBack(device, world, noticedAt + world.random.whole(10_000, 60_000));
    return goOffline(device, device.subDevices, noticedAt);
  });
  return [];
});

const flapping = away(
  'flapping',
  null,
  (device, world, now) => {
    comeBack(device, world, now + world.random.whole(5_000, 20_000));
    return flap(device, world.random, now);
  },
  ({ product }) => product.role === 'device',
);

/** Somebody uses the app: mostly a wish that the device fulfils, now and then one that it refuses. */
const wish = about('downlink-reply', null, (device, world, now) => {
  const { random } = world;
  const settable = [...(device.product.model?.properties.values() ?? [])].filter(({ writable }) => writable);
  const requestId = device.nextRequestId();
  const set = { requestId, service: 'property/set' };
  if (random.chance(0.15) || settable.length === 0) {
    // The platform itself refuses what comes too fast.
    return [messages.downlinkReply(device, { ...set, code: 429, message: 'too many requests', data: {} }, now)];
  }
  const { identifier, dataType } = random.pick(settable);
  const value = random.chance(0.2) ? '--' : anyValue(dataType, random, now);
  return world.answer(device, { ...set, params: { [identifier]: value } }, now);
});

/** A service of its model is called. */
const errand = about('service-reply', null, (device, world, now) => {
  const services = [...(device.product.model?.services.values() ?? [])];
  if (services.length === 0) return [];
  const { identifier, inputs } = world.random.pick(services);
  const params = fillFields(inputs, {}, world.random, now);
  return world.answer(device, { requestId: device.nextRequestId(), service: identifier, params }, now);
});

/** The platform answers in place of a device that it cannot reach. */
const unreachable: Story = {
  name: 'downlink-to-offline-device',
  voice: null,
  tell: (world, now) => {
    const device = world.pick(({ online, takenOver }) => !online && !takenOver);
    if (!device) return [];
    const told = { service: 'property/set', code: 9_201, message: 'device offline', data: {} };
    return [messages.downlinkReply(device, { requestId: device.nextRequestId(), ...told }, now)];
  },
};

/** The device's id is often missing in binding messages. */
const bindingId = (device: VirtualDevice, random: Random): string => (random.chance(0.5) ? '' : device.iotId);

const share = about('share', 'living', (device, { random, users }, now) => {
  const guest = random.pick(users);
  if (guest === device.owner || device.guests.includes(guest)) return [];
  device.guests.push(guest);
  return [messages.binding(device, guest, true, false, now, bindingId(device, random))];
});

const unshare: Story = {
  name: 'unshare',
  voice: 'living',
  tell: (world, now) => {
    const device = world.pick(({ guests }) => guests.length > 0);
    const guest = device?.guests.shift();
    return device && guest ? [messages.binding(device, guest, false, false, now, bindingId(device, world.random))] : [];
  },
};

/** Sold on: the owner and all guests lose it, and soon somebody else binds it. */
const changeOwner = about('change-owner', 'living', (device, world, now) => {
  const { owner } = device;
  if (!owner) return [];
  const leaving = [
    messages.binding(device, owner, false, true, now, bindingId(device, world.random)),
    ...device.guests.map((guest) =>
      messages.binding(device, guest, false, false, now, bindingId(device, world.random)),
    ),
  ];
  device.owner = null;
  device.guests.length = 0;
  world.agenda.at(now + world.random.whole(5_000, 30_000), (later) => {
    device.owner = world.random.pick(world.users);
    return [messages.binding(device, device.owner, true, true, later, bindingId(device, world.random))];
  });
  return leaving;
});

/** What a type does not take. */
const misfit = (type: DataType): Json => (type.type === 'text' ? 0 : '--');

/** Some values do not pass the platform's validation: a wrong type, or a name that the model does not have. */
const failedCheck = about(
  'failed-check',
  'enterprise',
  (device, { random }, now) => {
    const { model } = device.product;
    if (!model) return [];
    const values = Object.entries(device.thing.measure(now));
    const [identifier] = random.pick(values);
    const type = model.properties.get(identifier)?.dataType;
    const wrong: [string, Json] = type && random.chance(0.8) ? [identifier, misfit(type)] : [`${identifier}_raw`, 0];
    const right = random.chance(0.5) ? [random.pick(values)] : [];
    const { passed, failed } = checkValues(model, Object.fromEntries([...right, wrong]));
    const time = now - random.whole(5, 60);
    device.lastPacketAt = now;
    const items = Object.entries(passed).map(([id, value]) => [id, { value, time }] as const);
    const failures = Object.entries(failed).map(([id, { code, message, value }]) => [
      id,
      { code, message, time, value },
    ]);
    return [
      messages.propertyPost(device, Object.fromEntries(items), now, Object.fromEntries(failures) as messages.Fields),
    ];
  },
  ({ product }) => product.model !== null && product.validation === 'weak',
);

/** Values that the device kept and sends together. */
const batch = about(
  'property-batch',
  'enterprise',
  (device, { random }, now) => {
    const times = Array.from({ length: random.whole(2, 6) }, (_, i) => now - 1_000 * (i + 1)).reverse();
    const samples = new Map<string, messages.Item[]>();
    for (const time of times) {
      for (const [id, value] of Object.entries(device.thing.measure(time)).slice(0, 3)) {
        samples.set(id, [...(samples.get(id) ?? []), { value, time }]);
      }
    }
    device.lastPacketAt = now;
    return [messages.propertyBatch(device, Object.fromEntries(samples), now)];
  },
  speaksModel,
);

const eventBatch = about('event-batch', 'enterprise', (device, { random }, now) => {
  const times = Array.from({ length: random.whole(2, 4) }, (_, i) => now - 700 * (i + 1)).reverse();
  const raised = raisedBy(device, 'info', now);
  return raised ? [messages.eventBatch(device, raised, times, now)] : [];
});

/** What the device had no connection for: true, but not the present. */
const history = about(
  'history',
  'enterprise',
  (device, { random }, now) => {
    const time = now - random.whole(10, 240) * 60_000;
    const values = Object.entries(device.thing.measure(now)).slice(0, random.whole(1, 3));
    const items = Object.fromEntries(values.map(([id, value]) => [id, { value, time }]));
    return [messages.propertyPost(device, items, now, {}, true)];
  },
  speaksModel,
);

const eventHistory = about('event-history', 'enterprise', (device, { random }, now) => {
  const raised = raisedBy(device, 'alert', now);
  return raised ? [messages.eventPost(device, raised, now - random.whole(10, 240) * 60_000, now, true)] : [];
});

const tagging = about('tags', 'enterprise', (device, { random }, now) => {
  const told = { floor: String(random.whole(0, 9)), room: random.pick(['hall', 'cellar', 'roof', '机房']) };
  device.tags = { ...device.tags, ...told };
  return [messages.tags(device, told, now)];
});

const disable = away(
  'disable',
  'enterprise',
  (device, world, now) => {
    device.busy = true;
    device.disabled = true;
    device.lastPacketAt = now;
    world.agenda.at(now + world.random.whole(10_000, 40_000), (at) => {
      device.disabled = false;
      comeBack(device, world, at + 2_000);
      return [messages.lifecycle(device, 'enable', at, '')];
    });
    return [messages.lifecycle(device, 'disable', now, ''), ...goOffline(device, [], now)];
  },
  ({ product }) => product.role === 'device',
);

/** A sub-device on wheels: found, attached, reporting for a while, and gone. Each time it is created anew under the same name. */
const visitor = about(
  'visitor',
  'enterprise',
  (gateway, world, now) => {
    const kinds = world.behind(gateway.productKey);
    if (gateway.visited || kinds.length === 0) return [];
    gateway.visited = true;
    const guest = world.build(world.random.pick(kinds), `${gateway.deviceName}-visitor`, gateway);
    world.agenda.at(now + 4_000, (at) => {
      world.join(guest);
      return [
        messages.lifecycle(guest, 'create', at, guest.deviceSecret),
        messages.topology(gateway, 'create', [guest], at),
        ...goOnline(guest, [], at + 1),
        world.fullReport(guest, at + 2),
      ];
    });
    world.agenda.at(now + world.random.whole(60_000, 180_000), (at) => {
      gateway.visited = false;
      world.leave(guest);
      return [
        ...goOffline(guest, [], at),
        messages.topology(gateway, 'delete', [guest], at),
        messages.lifecycle(guest, 'delete', at, ''),
      ];
    });
    return [messages.found(gateway, [guest], now)];
  },
  ({ product }) => product.role === 'gateway',
);

const customJson = about('custom-json', 'enterprise', (device, { random }, now) => [
  messages.custom(
    device,
    'diag/report',
    `{"heap":${random.whole(20_000, 60_000)},"T2":"--","up":${random.whole(1, 9_999)}.50}`,
    now,
  ),
]);

const customText = about('custom-text', 'enterprise', (device, { random }, now) => [
  messages.custom(
    device,
    'log',
    `[${random.pick(['W', 'I'])}] 第${random.whole(1, 9)}路 radio retry ${random.whole(1, 9)}`,
    now,
  ),
]);

const customBinary = about('custom-binary', 'enterprise', (device, { random }, now) => [
  messages.custom(
    device,
    'raw',
    Uint8Array.from({ length: 24 }, () => random.whole(0, 255)),
    now,
  ),
]);

export const STORIES: readonly Story[] = [
  event('info'),
  event('alert'),
  event('error'),
  reboot,
  fallSilent,
  flapping,
  wish,
  errand,
  unreachable,
  share,
  unshare,
  changeOwner,
  failedCheck,
  batch,
  eventBatch,
  history,
  eventHistory,
  tagging,
  disable,
  visitor,
  upgradeStory,
  customJson,
  customText,
  customBinary,
];
