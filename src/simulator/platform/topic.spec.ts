import { describe, expect, it } from '@jest/globals';
import { readTopic } from './topic.js';

describe('a forwarding topic', () => {
  it.each([
    ['/as/mqtt/status/pk/dn', 'dn', 'DeviceStatusChangeFlag'],
    ['/mqtt/status/pk/dn', 'dn', 'DeviceStatusChangeFlag'],
    ['/pk/dn/mqtt/status', 'dn', 'DeviceStatusChangeFlag'],
    ['/sys/pk/dn/device/status/notify', 'dn', 'DeviceStatusChangeFlag'],
    ['/pk/dn/thing/event/property/post', 'dn', 'DeviceDataFlag'],
    ['/sys/pk/dn/thing/event/Alarm/post', 'dn', 'DeviceDataFlag'],
    ['/pk/dn/thing/event/property/history/post', 'dn', 'ThingHistoryFlag'],
    ['/pk/dn/thing/downlink/reply/message', 'dn', 'DeviceDataFlag'],
    ['/pk/dn/thing/lifecycle', 'dn', 'DeviceLifeCycleFlag'],
    ['/pk/dn/thing/topo/lifecycle', 'dn', 'DeviceTopoLifeCycleFlag'],
    ['/pk/dn/thing/list/found', 'dn', 'FoundDeviceListFlag'],
    ['/pk/dn/thing/deviceinfo/update', 'dn', 'DeviceTagFlag'],
    ['/pk/dn/ota/upgrade', 'dn', 'OtaEventFlag'],
    ['/pk/dn/ota/progress/post', 'dn', 'OtaEventFlag'],
    ['/pk/dn/ota/version/post', 'dn', 'OtaVersionFlag'],
    ['/pk/package/job/ota/job/status', null, 'OtaJobFlag'],
    // Whatever comes after `user` is the device's own.
    ['/pk/dn/user/ota/job/status', 'dn', 'DeviceDataFlag'],
    ['/pk/dn/user/thing/lifecycle', 'dn', 'DeviceDataFlag'],
  ])('%s is of device %s, for %s', (topic, deviceName, flag) => {
    expect(readTopic(topic)).toEqual({ productKey: 'pk', deviceName, flag });
  });

  it.each(['', '/', 'no/such/topic', '/pk/dn'])('%j is none', (topic) => {
    expect(readTopic(topic)).toBeNull();
  });
});
