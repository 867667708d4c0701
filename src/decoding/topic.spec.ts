import { describe, expect, it } from '@jest/globals';
import { readTopic } from './topic.js';

const device = { productKey: 'pk', deviceName: 'dn' };

describe('readTopic', () => {
  it.each([
    ['/mqtt/status/pk/dn', 'status'],
    ['/as/mqtt/status/pk/dn', 'status'],
    ['/sys/as/mqtt/status/pk/dn', 'status'],
    ['/pk/dn/mqtt/status', 'status'],
    ['/sys/pk/dn/device/status/notify', 'status'],
    ['/pk/dn/device/status/notify', 'status'],
    ['/pk/dn/thing/event/property/post', 'property-post'],
    ['/sys/pk/dn/thing/event/property/post', 'property-post'],
    ['/pk/dn/thing/event/property/history/post', 'property-post'],
    ['/pk/dn/thing/property/batch/post', 'property-batch'],
    ['/pk/dn/thing/event/batch/post', 'event-batch'],
    ['/pk/dn/thing/downlink/reply/message', 'downlink-reply'],
    ['/pk/dn/thing/awss/enrollee/user', 'user-binding'],
    ['/pk/dn/thing/lifecycle', 'lifecycle'],
    ['/pk/dn/thing/topo/lifecycle', 'topology'],
    ['/pk/dn/thing/list/found', 'sub-devices-found'],
    ['/pk/dn/thing/deviceinfo/update', 'tags'],
    ['/pk/dn/ota/upgrade', 'upgrade-result'],
    ['/pk/dn/ota/progress/post', 'upgrade-progress'],
    ['/pk/dn/ota/version/post', 'module-version'],
  ])('knows %s', (text, kind) => {
    expect(readTopic(text)).toEqual({ scope: 'platform', text, kind, device, eventId: null });
  });

  it.each([
    ['/pk/dn/thing/event/FilterAlarm/post', 'FilterAlarm'],
    ['/sys/pk/dn/thing/event/FilterAlarm/post', 'FilterAlarm'],
    ['/pk/dn/thing/event/FilterAlarm/history/post', 'FilterAlarm'],
    ['/pk/dn/thing/event/history/post', 'history'],
    ['/pk/dn/thing/event/lifecycle/post', 'lifecycle'],
  ])('knows the event of %s', (text, eventId) => {
    expect(readTopic(text)).toEqual({ scope: 'platform', text, kind: 'event-post', device, eventId });
  });

  it('knows that a batch of upgrades has no device', () => {
    expect(readTopic('/pk/pkg-5/job-11/ota/job/status')).toMatchObject({ kind: 'upgrade-job', device: null });
  });

  it.each([
    '/pk/dn/user/update',
    '/pk/dn/user/ota/job/status',
    '/pk/dn/up',
    '/pk/dn/thing/somethingNew',
    '/pk/dn/thing/event/post',
    '/pk/dn/thing/event/property/post/x',
    '/pk/dn/x/thing/event/property/post',
    '/sys/pk/dn/thing/model/up_raw',
  ])("takes %s for the device's own", (text) => {
    expect(readTopic(text)).toEqual({ scope: 'custom', text, device });
  });

  it.each([
    '',
    '/',
    '/pk',
    '/pk/dn',
    '/pk/dn/',
    'pk/dn/up',
    '//dn/up',
    '/pk//up',
    '/ext/ntp/pk/dn/request',
    '/as/mqtt/other/pk',
    '/mqtt/status/pk',
    '/sys',
    `/${'p'.repeat(257)}/dn/up`,
    '/pk/d\0n/up',
    '/pk/\ud800/up',
  ])('finds no device in %j', (text) => {
    expect(readTopic(text)).toEqual({ scope: 'foreign', text });
  });

  it('tells a missing topic from an empty one', () => {
    expect(readTopic(null)).toEqual({ scope: 'none' });
  });
});
