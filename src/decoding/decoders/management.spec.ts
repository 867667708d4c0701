import { describe, expect, it } from '@jest/globals';
import { SENT, at, boiler, boilerIot, eventsOf, identified, newsOf } from '../../../test/support/decoded.js';

const gateway = { productKey: 'h9DemoGw03', deviceName: 'gw-hall' };

describe('management messages', () => {
  const sub = { productKey: 'h9DemoEnt02', deviceName: 'probe-7' };

  it.each(['create', 'delete', 'enable', 'disable'])('tell of a life cycle: %s (7.7)', (action) => {
    const body = { action, ...boilerIot, messageCreateTime: 1700000100000, deviceSecret: 'x' };
    expect(eventsOf('/h9DemoEnt02/boiler-3/thing/lifecycle', body)).toEqual([
      identified(boiler, 1700000100000, 'en7Qx1demoIot0042', null),
      { kind: 'lifecycle-changed', device: boiler, at: at(1700000100000), action },
    ]);
  });

  const gatewayFields = { gwIotId: 'en7QxGateway01', gwProductKey: 'h9DemoGw03', gwDeviceName: 'gw-hall' };

  it.each([
    ['create', 'create'],
    ['add', 'create'],
    ['delete', 'delete'],
    ['remove', 'delete'],
    ['enable', 'enable'],
    ['disable', 'disable'],
  ])('tell of topology: %s (7.8)', (sent, action) => {
    const devices = [{ iotId: 'en7QxSub07', ...sub }, { productKey: 'h9DemoEnt02' }];
    const body = { action: sent, ...gatewayFields, devices, messageCreateTime: 1700000100000 };
    const when = at(1700000100000);
    expect(eventsOf('/h9DemoGw03/gw-hall/thing/topo/lifecycle', body)).toEqual([
      identified(gateway, 1700000100000, 'en7QxGateway01', null),
      identified(sub, 1700000100000, 'en7QxSub07', null),
      { kind: 'topology-changed', device: gateway, at: when, action, subDevices: [sub] },
      { kind: 'gateway-changed', device: sub, at: when, action, gateway },
      {
        kind: 'value-rejected',
        device: gateway,
        at: when,
        identifier: 'devices',
        reason: 'malformed',
        value: '{"productKey": "h9DemoEnt02"}',
      },
    ]);
  });

  it('take one sub-device outside of a list (7.8)', () => {
    const body = { action: 'create', ...gatewayFields, devices: sub, messageCreateTime: 1700000100000 };
    expect(newsOf('/h9DemoGw03/gw-hall/thing/topo/lifecycle', body)).toMatchObject([
      { subDevices: [sub] },
      { device: sub },
    ]);
  });

  it('tell of sub-devices found, by generateTime (7.9)', () => {
    const body = { ...gatewayFields, devices: [{ iotId: 'en7QxSub08', ...sub }] };
    expect(eventsOf('/h9DemoGw03/gw-hall/thing/list/found', body)).toEqual([
      identified(gateway, SENT, 'en7QxGateway01', null),
      identified(sub, SENT, 'en7QxSub08', null),
      { kind: 'sub-devices-found', device: gateway, at: at(SENT), subDevices: [sub] },
    ]);
  });

  it('tell of tags, each on its own (7.13)', () => {
    const value = [
      { attrKey: 'floor', attrValue: '2' },
      { attrKey: '', attrValue: 'x' },
      { attrKey: 'k', attrValue: 2 },
      { attrKey: 'k', attrValue: '\0' },
    ];
    const body = { ...boilerIot, value, messageCreateTime: 1700000100000 };
    expect(newsOf('/h9DemoEnt02/boiler-3/thing/deviceinfo/update', body)).toMatchObject([
      { kind: 'tags-changed', device: boiler, at: at(1700000100000), tags: [{ key: 'floor', value: '2' }] },
      { kind: 'value-rejected', reason: 'malformed' },
      { kind: 'value-rejected', reason: 'malformed' },
      { kind: 'value-rejected', reason: 'not-storable' },
    ]);
  });
});
