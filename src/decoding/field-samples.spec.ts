import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { at, identified, json, number } from '../../test/support/decoded.js';
import { aMessage } from '../../test/support/messages.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { DeviceEvent } from '../domain/device-event.js';
import type { DeviceKey } from '../domain/device-key.js';
import { decodeMessage, type DecodeOptions } from './decode-message.js';

interface Sample {
  readonly id: string;
  readonly topic: string | null;
  readonly body: string;
}

const file = new URL('../../test/fixtures/field-samples.jsonl', import.meta.url);
const samples = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Sample);

const GENERATED = 1_790_000_000_000;

function decode(id: string, bodyIdentity: DecodeOptions['bodyIdentity'] = 'any'): DecodedMessage {
  const sample = samples.find((candidate) => candidate.id === id);
  if (sample === undefined) throw new Error(`No sample ${id}`);
  return decodeMessage(aMessage({ ...sample, generateTime: String(GENERATED) }), { bodyIdentity });
}

/** A report all of whose numbers are of one time. */
function report(
  device: DeviceKey,
  [iotId, deviceType]: readonly [string, string],
  [gmtCreate, time]: readonly [number, number],
  values: Record<string, string>,
): readonly DeviceEvent[] {
  const readings = Object.entries(values).map(([identifier, text]) => ({
    identifier,
    value: text.startsWith('"') ? json(text) : number(text),
    at: at(time),
  }));
  return [
    identified(device, gmtCreate, iotId, deviceType),
    { kind: 'properties-reported', device, at: at(gmtCreate), readings } as DeviceEvent,
  ];
}

const raspberry = { productKey: 'q0GPOa73YX1', deviceName: 'hrugbuqio' };
const raspberryIs = ['bYcI712r94T5PXdQp9MG499215', 'None'] as const;

const EXPECTED: Record<string, readonly DeviceEvent[]> = {
  'prop-compressed-air': report(
    { productKey: 'zir5KhJvlMm', deviceName: 'AlnfosvkyyCrvLkmidstGlp_70' },
    ['1L0LI7Zi0SvFwyg0vdx6jwm111', 'CustomCategory'],
    [1678433529695, 1678433529688],
    { EnvHumidity: '27', DOAS_RunningState: '1', CurrentTemperature: '24.45', DOAS_OperationControl: '0' },
  ),
  'prop-requestid-null-string': report(
    { productKey: 'o96z6zGrkMs', deviceName: 'cmv2248' },
    ['ogpyvDjfS4BpCdi1sQztq22k98', 'CustomCategory'],
    [1716608614895, 1716608614891],
    { temp: '26', humi: '47' },
  ),
  'prop-raspberry-none-floats': report(raspberry, raspberryIs, [1626486083292, 1626486083289], {
    MQ: '99',
    Light: '99',
    Curtain: '0',
    temperature: '2',
    humidity: '6',
    LED: '0',
    ID: '"00000000"',
    PWM1: '5',
    Lock: '1',
    BING: '0',
  }),
  'prop-raspberry-none-floats-5': report(raspberry, raspberryIs, [1626486093742, 1626486093739], {
    MQ5: '301',
    Light5: '781',
    LED5: '1',
    PWM5: '51',
    tempearture5: '271',
    humidity5: '591',
  }),
  'prop-pethouse-module-prefix': report(
    { productKey: 'w5fddHuBV6M', deviceName: 'Oaokav' },
    ['A9xRzZntoilGkcPv7KtVg6zzk1', 'CustomCategory'],
    [1776993291770, 1776993291737],
    {
      'PetHouse:Mood': '3',
      'PetHouse:Humi': '88',
      'PetHouse:Weight': '24',
      'PetHouse:CO2': '411',
      'PetHouse:CH2O': '2',
      'PetHouse:Temp': '36',
      'PetHouse:VOC': '1',
      'PetHouse:MQ135': '51',
    },
  ),
  'event-vision-nested-json-string': [
    identified(
      { productKey: 't0qtLKIxUpY', deviceName: '344090791' },
      1631497718867,
      '38WU12AjmUHlxS1wcEZf156621',
      'VisionAccessNode',
    ),
    {
      kind: 'event-raised',
      device: { productKey: 't0qtLKIxUpY', deviceName: '344090791' },
      at: at(1631497718867),
      identifier: 'IntelligentAlarm',
      name: '智能告警',
      type: 'alert',
      requestId: '79060',
      value: String.raw`{"EventList": [{"Data": "{\"LeftTopX\":0.5367,\"LeftTopY\":0.2028,\"RightBottomX\":0.5663999999999999,\"RightBottomY\":0.257,\"HeadReliability\":1.0,\"ActionType\":0,\"GenderType\":1,\"Age\":-2,\"TrackId\":37179}", "AlarmType": 14001, "Algorithm": "passengerStatistics", "EventTime": "1631497713093", "AlarmPicID": "TUhyYzNCNzlULUt1RlFYLV9Cd0ZBWWg4WnhGdGVwV0dGaS1DLVJFbno1QS85Nzg3MTUzOTNkNDc0NWRiYmVjN2I5MzMzYzY2ZGVjYl8xNjMxNDk3NzEzMjUz", "DeviceName": "camera-gate", "ProductKey": "b7Q9XXdemo1", "AlarmPicSize": 434253}]}`,
    },
  ],
  'status-offline-2019-keepalive': [
    {
      kind: 'presence-changed',
      device: { productKey: 'u1WKBHjKtuh', deviceName: 'PIV825_896' },
      at: at(Date.parse('2019-05-31T09:30:54.031Z')),
      online: false,
      orderedBy: at(Date.parse('2019-05-31T09:28:47.529Z')),
      reason: null,
      detail:
        '{"time": "2019-05-31 17:30:54.031", "clientIp": "198.51.100.23", "lastTime": "2019-05-31 17:28:47.529", "utcLastTime": "2019-05-31T09:28:47.529Z"}',
    },
  ],
  'prop-2020-no-checkfailed-repi': report(
    { productKey: 'b5AdSaM3P1Y', deviceName: 'hdgf' },
    ['AOfqoFy2uY4rlNoYyl82366763', 'CustomCategory'],
    [1584535854987, 1584535854988],
    { Temp: '40.531', Humi: '31.846' },
  ),
  'custom-dashes': [
    {
      kind: 'custom-message-received',
      device: { productKey: 'c4demoCust1', deviceName: '8000017' },
      at: at(GENERATED),
      topic: '/c4demoCust1/8000017/up',
      encoding: 'json',
      value:
        '{"W": 0, "AM": "--", "E1": 0.21, "E2": "--", "E3": "--", "E4": "--", "E5": "--", "E6": "--", "EA": 1, "HU": 47.8, "ID": 8000017, "LI": "--", "NP": "--", "PM": "--", "T1": 16, "T2": 20, "T3": 16.3, "WA": 0, "CO2": 927, "H2S": "--", "HTA": 0, "ISA": 0, "LTA": 0, "PLA": 0, "T1A": 0, "T2A": 0, "T3A": 0, "TIME": "2018-12-13 15:55:07"}',
    },
  ],
  'prop-checkfailed-6306-items-empty': [
    identified(
      { productKey: 'w7idovln4FT', deviceName: 'xmdgcy_qbt' },
      1707149551050,
      'gjKlVytausecHQ2Vn1lq16',
      'CustomCategory',
    ),
    {
      kind: 'value-rejected',
      device: { productKey: 'w7idovln4FT', deviceName: 'xmdgcy_qbt' },
      at: at(1707149551046),
      identifier: 'code',
      reason: 'check-failed',
      value:
        '{"code": 6306, "time": 1707149551046, "value": "15", "message": "tsl parse: data type is not int -> code"}',
    },
  ],
};

describe('messages from the field', () => {
  it.each(samples.map(({ id }) => id))('%s', (id) => {
    expect(decode(id)).toMatchObject({ refusal: null, sentAt: at(GENERATED) });
    expect(decode(id).events).toEqual(EXPECTED[id]);
  });

  it('are ten, each with what it must become', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual(samples.map(({ id }) => id).sort());
  });

  it("keep a report on another device's custom topic as that device's own message, unless told otherwise", () => {
    expect(decode('prop-pethouse-module-prefix', 'topic').events).toMatchObject([
      {
        kind: 'custom-message-received',
        device: { productKey: 'w5fddHuBV6M', deviceName: 'petInfo' },
        encoding: 'json',
      },
    ]);
  });
});
