import { describe, expect, it } from '@jest/globals';
import { at, boiler, boilerIot, eventsOf, identified, json, newsOf, number } from '../../../test/support/decoded.js';

describe('batch posts (7.10, 7.11)', () => {
  const samples = [
    { value: 60.8, time: 1700000040000 },
    { value: 61.2, time: 1700000070000 },
  ];
  const batch = { ...boilerIot, requestId: '8820', gmtCreate: 1700000100500, payload: { WaterTemp: samples } };
  const reported = {
    kind: 'properties-reported',
    device: boiler,
    at: at(1700000100500),
    readings: [
      { identifier: 'WaterTemp', value: number('60.8'), at: at(1700000040000) },
      { identifier: 'WaterTemp', value: number('61.2'), at: at(1700000070000) },
    ],
  };

  it.each(['/h9DemoEnt02/boiler-3/thing/property/batch/post', '/h9DemoEnt02/boiler-3/user/forwarded', null])(
    'are property values on %s',
    (topic) => {
      expect(eventsOf(topic, batch)).toEqual([identified(boiler, 1700000100500, 'en7Qx1demoIot0042', null), reported]);
    },
  );

  it('are events on the topic of events', () => {
    const payload = { Alarm: [{ value: { level: 2 }, time: 1700000040000 }, { value: 5, time: 1700000040001 }, null] };
    expect(newsOf('/h9DemoEnt02/boiler-3/thing/event/batch/post', { ...batch, payload })).toMatchObject([
      { kind: 'event-raised', identifier: 'Alarm', requestId: '8820', at: at(1700000040000), value: '{"level": 2}' },
      { kind: 'value-rejected', identifier: 'Alarm', reason: 'malformed' },
      { kind: 'value-rejected', identifier: 'Alarm', reason: 'malformed', value: 'null' },
    ]);
  });

  it('are property values with structs on the topic of properties, and nobody knows what without it', () => {
    const structs = { ...batch, payload: { Site: [{ value: { lat: 1 }, time: 1700000040000 }] } };
    expect(newsOf('/h9DemoEnt02/boiler-3/thing/property/batch/post', structs)).toMatchObject([
      { kind: 'properties-reported', readings: [{ identifier: 'Site', value: json('{"lat": 1}') }] },
    ]);
    expect(() => eventsOf(null, structs)).toThrow('no-topic');
  });

  it('spare the good samples beside bad ones', () => {
    const payload = { A: [{ value: 1, time: 1700000040000 }, { time: 5 }, 'x'], B: 7 };
    expect(newsOf('/h9DemoEnt02/boiler-3/thing/property/batch/post', { ...batch, payload })).toMatchObject([
      { readings: [{ identifier: 'A' }] },
      { identifier: 'A', reason: 'malformed' },
      { identifier: 'A', reason: 'malformed', value: '"x"' },
      { identifier: 'B', reason: 'malformed', value: '7' },
    ]);
  });
});
