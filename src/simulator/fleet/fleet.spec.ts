import { describe, expect, it } from '@jest/globals';
import type { Publication } from '../platform/platform-message.js';
import { Downlinks } from '../devices/downlink.js';
import type { Json } from '../devices/json.js';
import { flicker, goOffline } from '../devices/presence.js';
import { Registry } from '../devices/registry.js';
import { Random } from '../random.js';
import { Agenda } from './agenda.js';
import { Fleet } from './fleet.js';
import { demoMembers, demoProducts } from './line-up.js';
import type { VirtualDevice } from './virtual-device.js';

const START = Date.UTC(2025, 5, 1, 4);

interface Choice {
  readonly seed?: string;
  readonly devices?: number;
  readonly flavour?: 'living' | 'enterprise' | 'both';
}

function aFleet({ seed = '1', devices = 12, flavour = 'both' }: Choice = {}): Fleet {
  return new Fleet({ seed, members: demoMembers(demoProducts(flavour), devices), registry: new Registry() });
}

/** What a fleet says in so many steps of 200 ms. */
function lives(options: Choice = {}, steps = 3_000): Publication[] {
  const fleet = aFleet(options);
  const said = fleet.start(START);
  for (let i = 1; i <= steps; i++) said.push(...fleet.next(START + 200 * i));
  return said;
}

/** The default fleet's life, lived once for all tests that only look at it. */
const aLife = lives();

const bodyText = ({ body }: Publication): string =>
  typeof body === 'string' ? body : Buffer.from(body).toString('hex');
const bodies = (said: readonly Publication[], topic: RegExp): Record<string, unknown>[] =>
  said.filter((one) => topic.test(one.topic ?? '')).map((one) => JSON.parse(bodyText(one)) as Record<string, unknown>);

/** A topic with its names left out. */
const kindOf = ({ topic }: Publication): string =>
  (topic ?? '')
    .replace(/\/pkg-\d+\/job-\w+/, '/{package}/{job}')
    .replace(/\/(a1|h9)Demo[^/]+/, '/{pk}')
    .replace(/\/[a-z]+-\d{3}(-visitor)?/, '/{dn}')
    .replace(/\/event\/(?!property)(?!batch)\w+\//, '/event/{id}/');

const BOTH = [
  '/{pk}/{dn}/thing/event/property/post',
  '/{pk}/{dn}/thing/event/{id}/post',
  '/{pk}/{dn}/thing/downlink/reply/message',
];
const LIVING = ['/mqtt/status/{pk}/{dn}', '/{pk}/{dn}/thing/awss/enrollee/user'];
const ENTERPRISE = [
  '/as/mqtt/status/{pk}/{dn}',
  '/{pk}/{dn}/thing/lifecycle',
  '/{pk}/{dn}/thing/topo/lifecycle',
  '/{pk}/{dn}/thing/list/found',
  '/{pk}/{dn}/thing/property/batch/post',
  '/{pk}/{dn}/thing/event/batch/post',
  '/{pk}/{dn}/thing/event/property/history/post',
  '/{pk}/{dn}/thing/event/{id}/history/post',
  '/{pk}/{dn}/thing/deviceinfo/update',
  '/{pk}/{dn}/ota/upgrade',
  '/{pk}/{dn}/ota/progress/post',
  '/{pk}/{dn}/ota/version/post',
  '/{pk}/{package}/{job}/ota/job/status',
  '/{pk}/{dn}/user/diag/report',
  '/{pk}/{dn}/user/log',
  '/{pk}/{dn}/user/raw',
];

describe('the fleet', () => {
  it('says the same bytes again from the same seed at the same times', () => {
    const [once, again] = [aLife, lives()];
    expect(again.map(bodyText)).toEqual(once.map(bodyText));
    expect(again.map(({ topic }) => topic)).toEqual(once.map(({ topic }) => topic));
  });

  it('says something else from another seed', () => {
    expect(lives({ seed: '2' }, 20).map(bodyText)).not.toEqual(lives({}, 20).map(bodyText));
  });

  it.each([
    ['both', [...BOTH, ...LIVING, ...ENTERPRISE]],
    ['living', [...BOTH, ...LIVING]],
    ['enterprise', [...BOTH, ...ENTERPRISE]],
  ] as const)('speaks every kind of message of flavour %s and no other', (flavour, kinds) => {
    expect([...new Set(lives({ flavour }).map(kindOf))].sort()).toEqual([...kinds].sort());
  });

  it('brings every device online with a report before anything else', () => {
    const said = lives({ devices: 20 }, 0);
    expect(said.filter((one) => (one.topic ?? '').includes('mqtt/status'))).toHaveLength(20);
    expect(bodies(said, /event\/property\/post$/)).toHaveLength(20);
    expect(new Set(said.map(({ generateTime }) => generateTime))).toEqual(new Set([START]));
  });

  it.each([1, 2, 5, 500])('has something to say at every step with %d devices', (devices) => {
    const fleet = aFleet({ seed: '3', devices });
    fleet.start(START);
    const silent = Array.from({ length: 400 }, (_, i) => fleet.next(START + 50 * i)).filter(
      (said) => said.length === 0,
    );
    expect(silent.length).toBeLessThan(40);
  });

  it('reports parts of what it measures, at times close to the message', () => {
    const reports = bodies(aLife, /a1DemoHeat3.*event\/property\/post$/);
    const sizes = new Set(reports.map(({ items }) => Object.keys(items as object).length));
    expect(sizes.size).toBeGreaterThan(2);
    for (const { items, gmtCreate } of reports) {
      for (const { time } of Object.values(items as Record<string, { time: number }>)) {
        expect(Number(gmtCreate) - time).toBeGreaterThan(0);
        expect(Number(gmtCreate) - time).toBeLessThan(1_000);
      }
    }
  });

  it('has counters that never fall and integers beyond a double', () => {
    const text = aLife
      .filter(({ topic }) => (topic ?? '').includes('h9DemoMete4/meter-001/thing/event/property/post'))
      .map(bodyText)
      .join();
    const energy = [...text.matchAll(/"ActiveEnergy":\{"value":([\d.]+)/g)].map(([, value]) => Number(value));
    expect(energy.length).toBeGreaterThan(30);
    expect(energy).toEqual([...energy].sort((a, b) => a - b));
    expect(text).toMatch(/"Pulses":\{"value":9007199\d{9},/);
  });

  it('keeps physical values where they belong', () => {
    const values = (key: string, topic: RegExp): number[] =>
      bodies(aLife, topic).flatMap(({ items }) => {
        const item = (items as Record<string, { value: number }>)[key];
        return item ? [item.value] : [];
      });
    const between = (list: number[], min: number, max: number): void => {
      expect(list.length).toBeGreaterThan(20);
      expect(Math.min(...list)).toBeGreaterThanOrEqual(min);
      expect(Math.max(...list)).toBeLessThanOrEqual(max);
    };
    const post = (productKey: string): RegExp => new RegExp(`${productKey}/.*event/property/post$`);
    between(values('CurrentTemperature', post('a1DemoHeat3')), 10, 28);
    between(values('PM25', post('a1DemoAir02')), 1, 200);
    between(values('Voltage', post('h9DemoMete4')), 215, 242);
    between(values('Humidity', post('h9DemoProb6')), 5, 99);
  });

  it('delivers a flapping as online, offline, offline whose own order is offline, online, offline', () => {
    const trios = aLife
      .filter(({ topic }) => (topic ?? '').startsWith('/as/mqtt/status'))
      .map((one) => JSON.parse(bodyText(one)) as { status: string; deviceName: string; utcLastTime: string })
      .flatMap((first, i, all) => {
        const [second, third] = [all[i + 1], all[i + 2]];
        const same = second?.deviceName === first.deviceName && third?.deviceName === first.deviceName;
        return same && first.status === 'online' && second.status === 'offline' && third.status === 'offline'
          ? [[second.utcLastTime, first.utcLastTime, third.utcLastTime]]
          : [];
      });
    expect(trios.length).toBeGreaterThan(0);
    for (const trio of trios) expect(trio).toEqual([...trio].sort());
  });

  it('ends where the messages say: the newest status of a device is what the fleet thinks of it', () => {
    const fleet = aFleet({ seed: '4', flavour: 'enterprise' });
    const said = fleet.start(START);
    for (let i = 1; i <= 3_000; i++) said.push(...fleet.next(START + 200 * i));
    for (const device of fleet.devices) {
      const newest = bodies(said, new RegExp(`^/as/mqtt/status/${device.productKey}/${device.deviceName}$`))
        .map(({ utcLastTime, utcTime, status }) => `${String(utcLastTime)} ${String(utcTime)} ${String(status)}`)
        .sort()
        .at(-1);
      expect(`${device.deviceName} ${newest?.split(' ')[2] ?? ''}`).toBe(
        `${device.deviceName} ${device.online ? 'online' : 'offline'}`,
      );
    }
  });

  it('notices a device that fell silent only when its keep-alive is over', () => {
    const gaps = bodies(lives({ flavour: 'enterprise' }, 6_000), /^\/as\/mqtt\/status/)
      .filter(({ status, productKey }) => status === 'offline' && productKey !== 'h9DemoProb6')
      .map(({ utcTime, utcLastTime }) => Date.parse(String(utcTime)) - Date.parse(String(utcLastTime)));
    const late = gaps.filter((gap) => gap > 60_000);
    expect(late.length).toBeGreaterThan(0);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(90_000);
  });

  it('needs no more looks for a message when it is large', () => {
    const fleet = aFleet({ devices: 1_000 });
    expect(fleet.start(START).length).toBeGreaterThan(3_000);
    let looks = 0;
    for (const device of fleet.devices) {
      let online = device.online;
      Object.defineProperty(device, 'online', {
        get: () => {
          looks++;
          return online;
        },
        set: (value: boolean) => {
          online = value;
        },
      });
    }
    for (let i = 1; i <= 2_000; i++) fleet.next(START + 200 * i);
    expect(looks / 2_000).toBeLessThan(60);
  });
});

describe('a command', () => {
  /** Sends a command to the device and lets it answer. */
  function command(name: string, service: string, params: Record<string, Json>) {
    const registry = new Registry();
    const fleet = new Fleet({ seed: '1', members: demoMembers(demoProducts('both'), 12), registry });
    const told: Publication[] = [];
    let now = START;
    const downlinks = new Downlinks(
      (publication) => String(told.push(publication)),
      () => now,
    );
    downlinks.add(fleet);
    fleet.start(START);
    const [productKey = '', deviceName = ''] = name.split(':');
    const device = registry.device(productKey, deviceName);
    if (!device) throw new Error(`no ${name}`);
    const requestId = downlinks.send(device, service, params);
    expect(fleet.answered(now)).toEqual([]);
    now += 1_000;
    const said = [...told, ...fleet.answered(now)];
    return { requestId, said, texts: said.map(bodyText), device, fleet };
  }

  it('sets what can be set: the device says so, reports it, and means it', () => {
    const { requestId, said, texts, device } = command('a1DemoHeat3:thermostat-001', 'property/set', {
      TargetTemperature: 24.5,
    });
    expect(said.map(({ topic }) => topic)).toEqual([
      '/a1DemoHeat3/thermostat-001/thing/downlink/reply/message',
      '/a1DemoHeat3/thermostat-001/thing/event/property/post',
    ]);
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({
      requestId,
      code: 200,
      message: 'success',
      topic: '/sys/a1DemoHeat3/thermostat-001/thing/service/property/set',
    });
    expect(JSON.parse(texts[1] ?? '')).toMatchObject({ items: { TargetTemperature: { value: 24.5 } } });
    expect((device as VirtualDevice).thing.measure(START + 60_000)).toMatchObject({ TargetTemperature: 24.5 });
  });

  it.each<[string, string, Record<string, Json>]>([
    ['a wrong type', 'property/set', { TargetTemperature: '24' }],
    ['a value out of range', 'property/set', { TargetTemperature: 99 }],
    ['a property that only reports', 'property/set', { CurrentTemperature: 20 }],
    ['an unknown property', 'property/set', { Colour: 1 }],
    ['nothing', 'property/set', {}],
    ['an unknown service', 'Dance', {}],
    ['a bad parameter of a service', 'BoostHeating', { Minutes: 'long' }],
  ])('with %s is refused by the device', (_, service, params) => {
    const { texts } = command('a1DemoHeat3:thermostat-001', service, params);
    expect(texts.map((text) => JSON.parse(text) as unknown)).toMatchObject([
      { code: 460, message: 'request parameter error', data: {} },
    ]);
  });

  it('to a service is answered with what the model says', () => {
    const { requestId, texts } = command('h9DemoMete4:meter-001', 'SetRelay', { Closed: 0 });
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({
      requestId: Number(requestId),
      code: 200,
      data: { Closed: 0 },
      topic: '/sys/h9DemoMete4/meter-001/thing/service/SetRelay',
    });
    const scan = command('h9DemoGate5:gateway-001', 'ScanSubDevices', { Seconds: 10 });
    const { data } = JSON.parse(scan.texts[0] ?? '') as { data: { Found: number } };
    expect(Number.isInteger(data.Found)).toBe(true);
  });

  it('to a device that is away, or never was there, is answered by the platform', () => {
    const registry = new Registry();
    const fleet = new Fleet({ seed: '1', members: demoMembers(demoProducts('both'), 2), registry });
    const told: Publication[] = [];
    const downlinks = new Downlinks(
      (publication) => String(told.push(publication)),
      () => START,
    );
    downlinks.add(fleet);
    const [lock] = fleet.devices;
    if (!lock) throw new Error('no lock');
    downlinks.send(lock, 'property/set', { AutoLock: 1 });
    fleet.start(START);
    goOffline(lock, [], START);
    downlinks.send(lock, 'property/set', { AutoLock: 1 });
    expect(told.map(bodyText).map((text) => JSON.parse(text) as unknown)).toMatchObject([
      { code: 9200, message: 'device not actived' },
      { code: 9201, message: 'device offline' },
    ]);
  });
});

describe('a virtual device', () => {
  it('is silent while a real one has taken its place, and goes on some time after that has left', () => {
    const fleet = aFleet({ devices: 3 });
    fleet.start(START);
    const [taken] = fleet.devices;
    if (!taken) throw new Error('no device');
    taken.takeOver();
    const about = (said: Publication[]): Publication[] =>
      said.filter(({ topic }) => (topic ?? '').includes(`/${taken.deviceName}`));
    const during = Array.from({ length: 2_000 }, (_, i) => fleet.next(START + 200 * i)).flat();
    expect(about(during)).toEqual([]);
    goOffline(taken, [], START + 400_000);
    taken.release();
    const after = Array.from({ length: 500 }, (_, i) => fleet.next(START + 400_000 + 200 * i)).flat();
    expect(about(after)[0]?.topic).toBe(`/mqtt/status/${taken.productKey}/${taken.deviceName}`);
    expect(about(after).length).toBeGreaterThan(5);
  });

  it('keeps its secret whatever else there is, and tells it when it is created', () => {
    const secretOf = (devices: number): string | undefined =>
      aFleet({ devices }).devices.find(({ deviceName }) => deviceName === 'meter-001')?.deviceSecret;
    expect(secretOf(4)).toMatch(/^[0-9a-f]{32}$/);
    expect(secretOf(12)).toBe(secretOf(4));
    const [created] = bodies(lives({ devices: 12 }, 0), /h9DemoMete4\/meter-001\/thing\/lifecycle/);
    expect(created).toMatchObject({ action: 'create', deviceSecret: secretOf(12) });
  });

  it.each([
    ['a1DemoLock1', 2, ['0', '1']],
    ['h9DemoMete4', 6, ['offline', 'online', 'offline', 'online', 'offline', 'online']],
  ])('flickers three times: of %s %d changes are told', (productKey, count, changes) => {
    const fleet = aFleet();
    fleet.start(START);
    const device = fleet.devices.find((one) => one.productKey === productKey);
    if (!device) throw new Error('no device');
    const said = flicker(device, 3, new Random('1'), START + 5_000).map(
      (one) => JSON.parse(bodyText(one)) as { status: string | { value: string; time: number }; utcTime?: string },
    );
    expect(said).toHaveLength(count);
    expect(said.map(({ status }) => (typeof status === 'string' ? status : status.value))).toEqual(changes);
    const times = said.map(({ status, utcTime }) =>
      typeof status === 'string' ? Date.parse(utcTime ?? '') : status.time,
    );
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.max(...times)).toBeLessThanOrEqual(START + 5_000);
    expect(device.online).toBe(true);
  });
});

describe('the agenda', () => {
  it('lets things happen in the order of their times, and of their entry at equal times', () => {
    const agenda = new Agenda();
    const random = new Random('1');
    const entries = Array.from({ length: 500 }, (_, i) => ({ at: random.whole(0, 60), i }));
    const happened: typeof entries = [];
    for (const entry of entries) {
      agenda.at(entry.at, () => {
        happened.push(entry);
        return [];
      });
    }
    agenda.due(30);
    expect(happened).toEqual(entries.filter(({ at }) => at <= 30).sort((a, b) => a.at - b.at || a.i - b.i));
    agenda.due(60);
    expect(happened).toEqual(entries.sort((a, b) => a.at - b.at || a.i - b.i));
  });
});
