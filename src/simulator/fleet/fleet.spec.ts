import { describe, expect, it } from '@jest/globals';
import type { Publication } from '../platform/platform-message.js';
import { Registry } from '../devices/registry.js';
import { Fleet } from './fleet.js';
import { demoMembers, demoProducts } from './line-up.js';

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
    const [once, again] = [lives(), lives()];
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
    const reports = bodies(lives(), /a1DemoHeat3.*event\/property\/post$/);
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
    const text = lives()
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
      bodies(lives(), topic).flatMap(({ items }) => {
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
    const trios = lives()
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
});
