import { describe, expect, it } from '@jest/globals';
import { FaultRig } from '../../../../test/simulator/fault-rig.js';
import type { Publication } from '../../platform/platform-message.js';
import { readTopic } from '../../platform/topic.js';

const AT = 1_748_750_400_000;

/** A report in the form of the Enterprise platform; its long number and 2.50 are to survive every change. */
const report = (i: number, device = `meter-${i % 10}`): Publication => ({
  topic: `/h9DemoMete4/${device}/thing/event/property/post`,
  body: `{"deviceType":"Meter","iotId":"iot-${device}","requestId":"${7_000 + i}","checkFailedData":{},"productKey":"h9DemoMete4","gmtCreate":${AT + i},"deviceName":"${device}","items":{"Total":{"value":12345678901234567890,"time":${AT + i}},"Power":{"time":${AT + i},"value":2.50}}}`,
});

const event: Publication = {
  topic: '/a1DemoLock1/lock-001/thing/event/Alarm/post',
  body: `{"identifier":"Alarm","name":"报警","type":"alert","deviceType":"Lock","iotId":"x","productKey":"a1DemoLock1","deviceName":"lock-001","time":${AT},"value":{}}`,
};
const batch: Publication = {
  topic: '/h9DemoMete4/meter-1/thing/property/batch/post',
  body: `{"iotId":"x","requestId":"1","productKey":"h9DemoMete4","deviceName":"meter-1","gmtCreate":${AT},"payload":{"Power":[{"value":1,"time":${AT}},{"value":2,"time":${AT + 1}}]}}`,
};
const status: Publication = {
  topic: '/as/mqtt/status/h9DemoMete4/meter-1',
  body: '{"status":"online","iotId":"x","productKey":"h9DemoMete4","deviceName":"meter-1","time":"2025-06-01 12:00:00.000","utcTime":"2025-06-01T04:00:00.000Z","lastTime":"2025-06-01 12:00:00.000","utcLastTime":"2025-06-01T04:00:00.000Z","clientIp":"198.51.100.7"}',
};
const livingStatus: Publication = {
  topic: '/mqtt/status/a1DemoLock1/lock-001',
  body: `{"deviceType":"Lock","iotId":"x","action":"online","productKey":"a1DemoLock1","gmtCreate":${AT},"deviceName":"lock-001","status":{"time":${AT},"value":"1"}}`,
};
const binary: Publication = { topic: '/h9DemoMete4/meter-1/user/raw', body: Uint8Array.of(0xff, 0, 1) };

const text = ({ body }: Publication): string => Buffer.from(body).toString('utf8');
const json = (publication: Publication): Record<string, unknown> =>
  JSON.parse(text(publication)) as Record<string, unknown>;
type Timed = { readonly items: Readonly<Record<string, { readonly time: number }>>; readonly gmtCreate: number };
const timed = (publication: Publication): Timed => json(publication) as unknown as Timed;
const originals = (count: number): string[] => Array.from({ length: count }, (_, i) => text(report(i)));

/** What becomes of so many reports; the clock goes on by `stepMs` with each. */
function spoil(name: string, params: Record<string, unknown>, count = 1_000, seed = '1', stepMs = 0): Publication[] {
  const rig = new FaultRig(seed);
  rig.engine.start(name, params);
  for (let i = 0; i < count; i++) {
    rig.pass(stepMs);
    rig.engine.pass(report(i));
  }
  return rig.published;
}

/** The same for one message, with a fault that meets every one. */
function spoilOne(name: string, publication: Publication, params: Record<string, unknown> = {}): Publication[] {
  const rig = new FaultRig();
  rig.engine.start(name, { share: 1, ...params });
  rig.engine.pass(publication);
  return rig.published;
}

describe('each fault of the stream', () => {
  it.each([
    ['clock-skew', {}],
    ['early', {}],
    ['old-values', {}],
    ['oddities', {}],
    ['unknown-fields', {}],
    ['unknown-topics', {}],
    ['poison', {}],
    ['late', { most: '2m' }],
    ['shuffle', {}],
    ['shuffle', { time: '1m' }],
    ['duplicates', {}],
  ])('%s %j: the same from the same seed, something else from another', (name, params) => {
    const once = spoil(name, params, 400, '1', 1_000);
    expect(spoil(name, params, 400, '1', 1_000)).toEqual(once);
    expect(spoil(name, params, 400, '2', 1_000)).not.toEqual(once);
  });

  it.each(['clock-skew', 'early', 'oddities', 'unknown-fields'])('%s loses no digit of a number', (name) => {
    const params = name === 'clock-skew' ? { devices: 1 } : { share: 1 };
    const kinds = name === 'oddities' ? { kinds: ['request-id-number', 'key-order', 'empty-iot-id'] } : {};
    const spoilt = spoil(name, { ...params, ...kinds }, 200).map(text);
    expect(spoilt).toHaveLength(200);
    expect(spoilt.every((body) => body.includes('12345678901234567890') && body.includes('2.50'))).toBe(true);
  });

  it.each(['clock-skew', 'early', 'old-values', 'oddities', 'unknown-fields', 'poison', 'unknown-topics'])(
    '%s passes on what is no JSON as it is',
    (name) => {
      const params = name === 'clock-skew' ? { devices: 1 } : { share: 1 };
      const rig = new FaultRig();
      rig.engine.start(name, name === 'oddities' ? { ...params, kinds: ['key-order', 'empty-iot-id'] } : params);
      rig.engine.pass(binary);
      expect(rig.published[0]).toMatchObject({ topic: binary.topic, body: binary.body });
    },
  );
});

describe('duplicates', () => {
  const keys = (published: readonly Publication[]): string[] =>
    published.map((each) => `${each.messageId ?? ''} ${text(each)}`);

  it('repeat messages under the same id with the same bytes, and lose none', () => {
    const all = keys(spoil('duplicates', {}));
    expect(new Set(all).size).toBe(1_000);
    expect(all.length).toBeGreaterThan(1_050);
    expect(all.length).toBeLessThan(1_150);
  });

  it('repeat the same bytes under another id', () => {
    const all = spoil('duplicates', { id: 'other', share: 1, within: 0 });
    expect(all).toHaveLength(2_000);
    expect(new Set(all.map(({ messageId }) => messageId)).size).toBe(2_000);
    expect(new Set(all.map(text)).size).toBe(1_000);
  });

  it('can be a storm', () => {
    const all = keys(spoil('duplicates', { share: 1, copies: 50, within: 100 }, 100));
    expect(new Set(all).size).toBe(100);
    expect(all.length).toBeGreaterThan(2_000);
  });
});

describe('shuffle', () => {
  it('changes the order within a window of messages and loses nothing', () => {
    const rig = new FaultRig();
    const { id } = rig.engine.start('shuffle');
    for (let i = 0; i < 1_000; i++) rig.engine.pass(report(i));
    expect(rig.published).toHaveLength(1_000 - 19); // the last of the window are still held
    rig.engine.stop(id);
    expect(rig.published.map(text)).not.toEqual(originals(1_000));
    expect(rig.published.map(text).sort()).toEqual(originals(1_000).sort());
  });

  it('changes the order within a window of time, and holds nothing longer', () => {
    const rig = new FaultRig();
    rig.engine.start('shuffle', { time: '5s' });
    for (let i = 0; i < 100; i++) {
      rig.pass(100);
      rig.engine.pass(report(i));
    }
    expect(rig.published.length).toBeLessThan(100);
    rig.pass(5_000);
    expect(rig.published.map(text)).not.toEqual(originals(100));
    expect(rig.published.map(text).sort()).toEqual(originals(100).sort());
  });
});

describe('late', () => {
  it('holds messages back for as long as it was told, with the times they had', () => {
    const rig = new FaultRig();
    rig.engine.start('late', { share: 0.3, least: '1m', most: '2m' });
    const start = rig.now;
    for (let i = 0; i < 100; i++) rig.engine.pass(report(i));
    const atOnce = rig.published.length;
    expect(atOnce).toBeGreaterThan(50);
    expect(atOnce).toBeLessThan(90);
    rig.pass(59_999);
    expect(rig.published).toHaveLength(atOnce);
    rig.pass(60_001);
    expect(rig.published.map(text).sort()).toEqual(originals(100).sort());
    expect(rig.published.every(({ generateTime }) => generateTime === start)).toBe(true);
  });
});

describe('old values', () => {
  it('come as new messages after newer ones, with old times', () => {
    const published = spoil('old-values', { share: 0.2, after: 30, by: '1h' }, 300);
    const again = published.filter(({ origin }) => origin?.from === 'fault');
    expect(again.length).toBeGreaterThan(30);
    expect(new Set(published.map(({ messageId }) => messageId)).size).toBe(published.length);
    for (const old of again) {
      const { items } = timed(old);
      const number = (items.Total?.time ?? 0) + 3_600_000 - AT;
      const first = published.findIndex((each) => text(each) === text(report(number)));
      expect(published.indexOf(old) - first).toBeGreaterThanOrEqual(30);
    }
  });
});

describe('early', () => {
  const by = (published: readonly Publication[]): number[] =>
    published.map((each, i) => (timed(each).items.Power?.time ?? 0) - AT - i);

  it('moves the times of the device into the future, and nothing else', () => {
    const published = spoil('early', { share: 1, least: '23h', most: '48h' }, 200);
    expect(Math.min(...by(published))).toBeGreaterThanOrEqual(23 * 3_600_000);
    expect(Math.max(...by(published))).toBeGreaterThan(24 * 3_600_000);
    expect(Math.max(...by(published))).toBeLessThanOrEqual(48 * 3_600_000);
    expect(published.map((each) => timed(each).gmtCreate)).toEqual(published.map((_, i) => AT + i));
  });

  it('knows the times of events and batches', () => {
    const params = { least: '1m', most: '1m' };
    expect(text(spoilOne('early', event, params)[0]!)).toBe(text(event).replace(String(AT), String(AT + 60_000)));
    expect(json(spoilOne('early', batch, params)[0]!).payload).toEqual({
      Power: [
        { value: 1, time: AT + 60_000 },
        { value: 2, time: AT + 60_001 },
      ],
    });
    // The platform's own clock tells when a device came online.
    expect(text(spoilOne('early', livingStatus, params)[0]!)).toBe(text(livingStatus));
  });
});

describe('clock skew', () => {
  it('makes the same devices wrong by the same amount every time', () => {
    const skews = new Map<string, Set<number>>();
    spoil('clock-skew', { devices: 0.5, least: '1m', most: '2h' }, 200).forEach((each, i) => {
      const device = readTopic(each.topic ?? '')?.deviceName ?? '';
      const by = (timed(each).items.Total?.time ?? 0) - AT - i;
      skews.set(device, (skews.get(device) ?? new Set()).add(by));
    });
    const amounts = [...skews.values()].map((each) => [...each]);
    expect(amounts.every((each) => each.length === 1)).toBe(true);
    const wrong = amounts.flat().filter((by) => by !== 0);
    expect(wrong.length).toBeGreaterThan(1);
    expect(wrong.length).toBeLessThan(9);
    expect(new Set(wrong).size).toBe(wrong.length);
    expect(wrong.every((by) => Math.abs(by) >= 60_000 && Math.abs(by) <= 7_200_000)).toBe(true);
  });

  it('makes clocks run ahead or behind alone when told', () => {
    const skewed = spoil('clock-skew', { devices: 1, direction: 'behind' }, 10);
    expect(skewed.every((each) => (timed(each).items.Total?.time ?? 0) < AT)).toBe(true);
  });
});

describe('poison', () => {
  const poisonOf = (kind: string, params: Record<string, unknown> = {}): Publication[] =>
    spoil('poison', { share: 1, kinds: [kind], ...params }, 40).filter(({ origin }) => origin?.from === 'fault');
  const invalid = (published: readonly Publication[]): number =>
    published.filter((each) => {
      try {
        JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(each.body)));
        return false;
      } catch {
        return true;
      }
    }).length;

  it('lies between the good messages and leaves them alone', () => {
    const published = spoil('poison', {});
    const good = new Set(originals(1_000));
    expect(published.filter((each) => good.has(text(each)))).toHaveLength(1_000);
    expect(published.length).toBeGreaterThan(1_005);
    expect(published.length).toBeLessThan(1_040);
  });

  it('is of every kind before any comes twice', () => {
    const rig = new FaultRig();
    rig.engine.start('poison', { share: 1 });
    const kinds = rig.engine.catalogue().find(({ name }) => name === 'poison')!.parameters[1]!.default as string[];
    for (let i = 0; i < kinds.length; i++) rig.engine.pass(report(i));
    expect(rig.engine.list()[0]?.counts).toEqual(Object.fromEntries(kinds.map((kind) => [kind, 1])));
  });

  it.each(['cut-json', 'invalid-utf8', 'binary', 'empty'])('%s can be read by no JSON parser', (kind) => {
    expect(invalid(poisonOf(kind))).toBe(40);
  });

  it.each([
    ['array', /^\[/],
    ['nesting', /(\[{5000}|(\{"a":){5000})/],
    ['nul', /\\u0000|\0/],
    ['surrogate', /\\ud83d(?!\\ude)/],
    ['huge-numbers', /1e-?400|9{400}|\.1{400}|-0|1E\+999999/],
    ['duplicate-keys', /"(deviceName|items|status)":.*"(deviceName|items|status)":/],
    ['wrong-types', /"soon"|"yesterday"|\{"value":1\}\]|"deviceName":7|"devices":\{\}/],
    ['prototype', /"__proto__":\{"polluted"/],
    ['scalar', /^(null|true|0|"offline"|""|NaN)$/],
    ['nameless', /^\{\}$/],
  ])('%s is what it is called', (kind, form) => {
    for (const each of poisonOf(kind)) expect(text(each)).toMatch(form);
  });

  it('is as large as a device can make it, or larger', () => {
    for (const each of poisonOf('large')) expect(each.body.length).toBeGreaterThan(256 * 1_024);
    expect(poisonOf('large', { bytes: 1_000_000 })[0]!.body.length).toBeGreaterThan(1_000_000);
  });

  it('without a name has no topic, id or time', () => {
    expect(poisonOf('nameless')[0]).toMatchObject({ topic: null, messageId: null, generateTime: null });
  });
});

describe('unknown topics', () => {
  it('come with good bodies, beside the messages they are made of', () => {
    const published = spoil('unknown-topics', { share: 1 }, 200);
    expect(published.filter(({ topic }) => topic === report(0).topic)).toHaveLength(20);
    const added = published.filter(({ origin }) => origin?.from === 'fault');
    expect(added).toHaveLength(200);
    expect(new Set(added.map(({ topic }) => topic)).size).toBeGreaterThan(50);
    expect(added.map(text)).toEqual(originals(200));
  });
});

describe('unknown fields', () => {
  it('lie beside those that were there, which stay as they are', () => {
    const published = spoil('unknown-fields', { share: 1, fields: 4 }, 100);
    for (const [i, each] of published.entries()) {
      const [before, after] = [json(report(i)), json(each)];
      expect(Object.keys(after)).toHaveLength(Object.keys(before).length + 4);
      expect(after).toMatchObject(before);
    }
    expect(published.some((each) => Object.keys(timed(each).items.Total!).length > 2)).toBe(true);
  });
});

describe('oddities', () => {
  const odd = (kind: string, publication: Publication): Publication[] =>
    spoilOne('oddities', publication, { kinds: [kind] });

  it('write a request id as a number, as text and as "null"', () => {
    expect(text(odd('request-id-number', report(5))[0]!)).toContain('"requestId":7005,');
    const number = { ...report(5), body: text(report(5)).replace('"7005"', '7005') };
    expect(text(odd('request-id-text', number)[0]!)).toBe(text(report(5)));
    expect(text(odd('request-id-null', report(5))[0]!)).toContain('"requestId":"null"');
  });

  it('leave the iotId empty', () => {
    expect(json(odd('empty-iot-id', report(5))[0]!).iotId).toBe('');
  });

  it('send a report whose values all failed, beside the good one', () => {
    const [good, failed] = odd('empty-items', report(5));
    expect(text(good!)).toBe(text(report(5)));
    expect(json(failed!)).toMatchObject({ items: {}, checkFailedData: { Power: { code: 6306, time: AT + 5 } } });
    expect(failed!.messageId).not.toBe(good!.messageId);
  });

  it('send the status trio: online, offline, offline whose own order is offline, online, offline', () => {
    const trio = odd('status-trio', status).slice(1).map(json);
    expect(trio.map((each) => each.status)).toEqual(['online', 'offline', 'offline']);
    const byLastTime = [...trio].sort((a, b) => String(a.utcLastTime).localeCompare(String(b.utcLastTime)));
    expect(byLastTime.map((each) => each.status)).toEqual(['offline', 'online', 'offline']);
  });

  it('send a value of the past as history', () => {
    const [, history] = odd('history', report(5));
    expect(history!.topic).toBe('/h9DemoMete4/meter-5/thing/event/property/history/post');
    expect(timed(history!).items.Total!.time).toBeLessThan(AT);
  });

  it('send generateTime as text, or none', () => {
    const { generateTime } = odd('generate-time-text', report(5))[0]!;
    expect(generateTime).toBe(String(new FaultRig().now));
    expect(odd('no-generate-time', report(5))[0]!.generateTime).toBeNull();
  });

  it('send the body in other sections, under /sys, or in another order', () => {
    expect(odd('several-sections', report(5))[0]!.bodyForm).toBe('several-data');
    expect(odd('text-body', report(5))[0]!.bodyForm).toBe('value-string');
    expect(odd('sys-topic', report(5))[0]!.topic).toBe(`/sys${report(5).topic!}`);
    const [reversed] = odd('key-order', report(5));
    expect(json(reversed!)).toEqual(json(report(5)));
    expect(Object.keys(json(reversed!))).toEqual(Object.keys(json(report(5))).reverse());
  });

  it('leave alone what they do not fit', () => {
    expect(odd('status-trio', report(5))).toHaveLength(1);
    expect(text(odd('request-id-null', status)[0]!)).toBe(text(status));
  });
});

describe('disconnects', () => {
  it('drop connections after some messages', () => {
    const rig = new FaultRig();
    rig.engine.start('disconnects');
    for (let i = 0; i < 1_000; i++) rig.engine.pass(report(i));
    expect(rig.deeds.length).toBeGreaterThan(1);
    expect(rig.deeds.length).toBeLessThan(11);
    expect(rig.published.map(text)).toEqual(originals(1_000));
  });
});
