import { describe, expect, it } from '@jest/globals';
import { aDevice } from '../../../test/support/simulated-device.js';
import { matches, maySubscribe, readUplink, uplinkOfMethod } from './device-topic.js';

const device = aDevice();

describe('readUplink', () => {
  it.each<[string, object]>([
    ['/sys/pk/dn/thing/event/property/post', { kind: 'property-post' }],
    ['/sys/pk/dn/thing/event/property/batch/post', { kind: 'batch' }],
    ['/sys/pk/dn/thing/event/property/history/post', { kind: 'history' }],
    ['/sys/pk/dn/thing/event/property/pack/post', { kind: 'pack' }],
    ['/sys/pk/dn/thing/event/Alarm/post', { kind: 'event-post', identifier: 'Alarm' }],
    ['/sys/pk/dn/thing/event/burner:Alarm/post', { kind: 'event-post', identifier: 'burner:Alarm' }],
    ['/sys/pk/dn/thing/deviceinfo/update', { kind: 'tags-update' }],
    ['/sys/pk/dn/thing/deviceinfo/delete', { kind: 'tags-delete' }],
    ['/sys/pk/dn/thing/service/property/set_reply', { kind: 'service-reply', service: 'property/set' }],
    ['/sys/pk/dn/thing/service/Reboot_reply', { kind: 'service-reply', service: 'Reboot' }],
    ['/sys/pk/dn/thing/model/up_raw', { kind: 'raw' }],
    ['/sys/pk/dn/thing/model/down_raw_reply', { kind: 'raw-reply' }],
    ['/sys/pk/dn/thing/config/get', { kind: 'other' }],
    ['/ext/ntp/pk/dn/request', { kind: 'ntp' }],
    ['/ext/session/pk/dn/combine/login', { kind: 'other' }],
    ['/ota/device/inform/pk/dn', { kind: 'firmware' }],
    ['/ota/device/progress/pk/dn', { kind: 'progress' }],
    ['/shadow/update/pk/dn', { kind: 'other' }],
    ['/pk/dn/user/update', { kind: 'custom', topic: '/pk/dn/user/update', scripted: false }],
    ['/pk/dn/user/a/b?_sn=default', { kind: 'custom', topic: '/pk/dn/user/a/b', scripted: true }],
    ['/pk/dn/user/ota/job/status', { kind: 'custom', topic: '/pk/dn/user/ota/job/status', scripted: false }],
    ['/pk/dn/update', { kind: 'custom', topic: '/pk/dn/update', scripted: false }],
  ])('reads %s', (topic, expected) => {
    expect(readUplink(device, topic)).toEqual(expected);
  });

  it.each([
    '/sys/pk/other/thing/event/property/post',
    '/sys/pk2/dn/thing/event/property/post',
    '/sys/pk/dn2/thing/event/property/post',
    '/pk/other/user/update',
    '/pk/dn/user',
    '/pk/dn/user/',
    '/pk/dn/',
    // Topics on which the platform speaks to its consumers.
    '/pk/dn/thing/event/property/post',
    '/pk/dn/ota/upgrade',
    '/pk/dn/mqtt/status',
    '/pk/dn/job/ota/job/status',
    '/as/mqtt/status/pk/dn',
    '/ota/device/inform/pk/other',
    '/ext/ntp/pk/other/request',
    '$SYS/x',
    'update',
  ])('leaves %s to others', (topic) => {
    expect(readUplink(device, topic)).toBeNull();
  });

  it('reads the method that a script gives', () => {
    expect(uplinkOfMethod('thing.event.property.post')).toEqual({ kind: 'property-post' });
    expect(uplinkOfMethod('thing.event.Alarm.post')).toEqual({ kind: 'event-post', identifier: 'Alarm' });
    expect(uplinkOfMethod('nonsense')).toEqual({ kind: 'other' });
  });
});

describe('maySubscribe', () => {
  it.each([
    '/sys/pk/dn/#',
    '/sys/pk/dn/thing/service/+',
    '/pk/dn/user/get',
    '/pk/dn/+/get',
    '/ext/ntp/pk/dn/response',
    '/ota/device/upgrade/pk/dn',
    '/broadcast/pk/news',
  ])('allows %s', (filter) => {
    expect(maySubscribe(device, filter)).toBe(true);
  });

  it.each([
    '#',
    '/#',
    '/sys/#',
    '/sys/pk/+/thing/#',
    '/sys/+/dn/#',
    '/+/dn/user/get',
    '/sys/pk/dn2/#',
    '/ota/device/upgrade/pk/+',
    '/ota/device/+/pk/dn',
    '/broadcast/+/news',
    '$SYS/#',
  ])('refuses %s', (filter) => {
    expect(maySubscribe(device, filter)).toBe(false);
  });
});

describe('matches', () => {
  it.each([
    ['/a/b', '/a/b', true],
    ['/a/+', '/a/b', true],
    ['/a/+', '/a/b/c', false],
    ['/a/#', '/a/b/c', true],
    ['/a/#', '/a', true],
    ['/a/+/c', '/a/b/c', true],
    ['/a/b', '/a/b/c', false],
    ['/a/b/c', '/a/b', false],
  ])('%s, %s: %s', (filter, topic, expected) => {
    expect(matches(filter, topic)).toBe(expected);
  });
});
