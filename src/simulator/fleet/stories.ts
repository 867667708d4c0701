import type { Publication } from '../platform/platform-message.js';
import type { Random } from '../random.js';
import type { VirtualDevice } from './virtual-device.js';
import * as messages from '../devices/messages.js';
import { flap, goOffline, goOnline, silenceMs } from '../devices/presence.js';
import type { Voice } from '../devices/product.js';
import { probe } from './line-up.js';
import type { EventType } from '../models/thing-model.js';
import { upgradeStory } from './upgrade-story.js';
import type { Story, World } from './world.js';

/** A story about one device that is awake. */
function about(
  name: string,
  voice: Voice | null,
  tell: (device: VirtualDevice, world: World, now: number) => Publication[],
): Story {
  return { name, voice, tell: (world, now) => some(world, world.awake(voice), (device) => tell(device, world, now)) };
}

function some(
  world: World,
  devices: readonly VirtualDevice[],
  tell: (device: VirtualDevice) => Publication[],
): Publication[] {
  return devices.length > 0 ? tell(world.random.pick(devices)) : [];
}

const event = (type: EventType): Story =>
  about(`event-${type}`, null, (device, { random }, now) => [
    messages.eventPost(device, device.thing.raise(type), now - random.whole(5, 80), now),
  ]);

function comeBack(device: VirtualDevice, world: World, at: number): void {
  world.agenda.at(at, (now) => {
    device.busy = false;
    return [...goOnline(device, world.subDevicesOf(device), now), world.fullReport(device, now)];
  });
}

const reboot: Story = {
  name: 'reboot',
  voice: null,
  tell: (world, now) =>
    some(world, world.restless(null), (device) => {
      comeBack(device, world, now + world.random.whole(5_000, 40_000));
      device.lastPacketAt = now;
      return goOffline(device, world.subDevicesOf(device), now);
    }),
};

/** Says nothing at first: the platform notices only when the keep-alive is over. */
const fallSilent: Story = {
  name: 'fall-silent',
  voice: null,
  tell: (world) =>
    some(world, world.restless(null), (device) => {
      const subs = world.subDevicesOf(device);
      for (const each of [device, ...subs]) each.busy = true;
      world.agenda.at(device.lastPacketAt + silenceMs(world.random), (noticedAt) => {
        for (const each of [device, ...subs]) each.busy = false;
        comeBack(device, world, noticedAt + world.random.whole(10_000, 60_000));
        return goOffline(device, subs, noticedAt);
      });
      return [];
    }),
};

const flapping: Story = {
  name: 'flapping',
  voice: null,
  tell: (world, now) =>
    some(
      world,
      world.restless(null).filter(({ product }) => product.role === 'device'),
      (device) => {
        comeBack(device, world, now + world.random.whole(5_000, 20_000));
        return flap(device, world.random, now);
      },
    ),
};

/** What comes of setting properties. */
const reply = (device: VirtualDevice, code: number, message: string, data: messages.Fields, now: number): Publication =>
  messages.downlinkReply(
    device,
    { requestId: device.nextRequestId(), service: 'property/set', code, message, data },
    now,
  );

const answer = about('downlink-reply', null, (device, { random }, now) => {
  const [code, message] = random.pick([
    [200, 'success'],
    [200, 'success'],
    [460, 'request parameter error'],
    [429, 'too many requests'],
  ] as const);
  return [reply(device, code, message, code === 200 ? { Applied: 1 } : {}, now)];
});

/** The platform answers in place of a device that it cannot reach. */
const unreachable: Story = {
  name: 'downlink-to-offline-device',
  voice: null,
  tell: (world, now) => {
    const away = world.devices.filter(({ online }) => !online);
    return some(world, away, (device) => [reply(device, 9_201, 'device offline', {}, now)]);
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
  tell: (world, now) =>
    some(
      world,
      world.devices.filter(({ guests }) => guests.length > 0),
      (device) => {
        const guest = device.guests.shift();
        return guest ? [messages.binding(device, guest, false, false, now, bindingId(device, world.random))] : [];
      },
    ),
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

/** Some values do not pass the platform's validation. */
const failedCheck = about('failed-check', 'enterprise', (device, { random }, now) => {
  const values = Object.entries(device.thing.measure(now));
  const [identifier] = random.pick(values);
  const time = now - random.whole(5, 60);
  const failure = { code: 6306, message: `tsl parse: data type is wrong -> ${identifier}`, time, value: '--' };
  const passed = random.chance(0.5) ? [random.pick(values)] : [];
  const items = Object.fromEntries(
    passed.filter(([id]) => id !== identifier).map(([id, value]) => [id, { value, time }]),
  );
  device.lastPacketAt = now;
  return [messages.propertyPost(device, items, now, { [identifier]: failure })];
});

/** Values that the device kept and sends together. */
const batch = about('property-batch', 'enterprise', (device, { random }, now) => {
  const times = Array.from({ length: random.whole(2, 6) }, (_, i) => now - 1_000 * (i + 1)).reverse();
  const samples = new Map<string, messages.Item[]>();
  for (const time of times) {
    for (const [id, value] of Object.entries(device.thing.measure(time)).slice(0, 3)) {
      samples.set(id, [...(samples.get(id) ?? []), { value, time }]);
    }
  }
  device.lastPacketAt = now;
  return [messages.propertyBatch(device, Object.fromEntries(samples), now)];
});

const eventBatch = about('event-batch', 'enterprise', (device, { random }, now) => {
  const times = Array.from({ length: random.whole(2, 4) }, (_, i) => now - 700 * (i + 1)).reverse();
  return [messages.eventBatch(device, device.thing.raise('info'), times, now)];
});

/** What the device had no connection for: true, but not the present. */
const history = about('history', 'enterprise', (device, { random }, now) => {
  const time = now - random.whole(10, 240) * 60_000;
  const values = Object.entries(device.thing.measure(now)).slice(0, random.whole(1, 3));
  const items = Object.fromEntries(values.map(([id, value]) => [id, { value, time }]));
  return [messages.propertyPost(device, items, now, {}, true)];
});

const eventHistory = about('event-history', 'enterprise', (device, { random }, now) => [
  messages.eventPost(device, device.thing.raise('alert'), now - random.whole(10, 240) * 60_000, now, true),
]);

const tagging = about('tags', 'enterprise', (device, { random }, now) => [
  messages.tags(
    device,
    { floor: String(random.whole(0, 9)), room: random.pick(['hall', 'cellar', 'roof', '机房']) },
    now,
  ),
]);

const disable: Story = {
  name: 'disable',
  voice: 'enterprise',
  tell: (world, now) =>
    some(
      world,
      world.restless('enterprise').filter(({ product }) => product.role === 'device'),
      (device) => {
        device.busy = true;
        device.lastPacketAt = now;
        world.agenda.at(now + world.random.whole(10_000, 40_000), (later) => {
          comeBack(device, world, later + 2_000);
          return [messages.lifecycle(device, 'enable', later, '')];
        });
        return [messages.lifecycle(device, 'disable', now, ''), ...goOffline(device, [], now)];
      },
    ),
};

/** A probe on wheels: found, attached, reporting for a while, and gone. Each time it is created anew under the same name. */
const visitor: Story = {
  name: 'visitor',
  voice: 'enterprise',
  tell: (world, now) => {
    const gateways = world.awake('enterprise').filter(({ product }) => product.role === 'gateway');
    return some(world, gateways, (gateway) => {
      const name = `${gateway.deviceName}-visitor`;
      if (gateway.visited) return [];
      gateway.visited = true;
      const guest = world.build(probe, 'enterprise', name, gateway);
      world.agenda.at(now + 4_000, (at) => {
        world.devices.push(guest);
        return [
          messages.lifecycle(guest, 'create', at, world.random.text(32)),
          messages.topology(gateway, 'create', [guest], at),
          ...goOnline(guest, [], at + 1),
          world.fullReport(guest, at + 2),
        ];
      });
      world.agenda.at(now + world.random.whole(60_000, 180_000), (at) => {
        gateway.visited = false;
        world.devices.splice(world.devices.indexOf(guest), 1);
        return [
          ...goOffline(guest, [], at),
          messages.topology(gateway, 'delete', [guest], at),
          messages.lifecycle(guest, 'delete', at, ''),
        ];
      });
      return [messages.found(gateway, [guest], now)];
    });
  },
};

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
  answer,
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
