import type { Publication } from '../platform/platform-message.js';
import type { Random } from '../random.js';
import type { Device } from './device.js';
import { status, type OfflineReason } from './messages.js';

/** The device connects, and its sub-devices with it. */
export function goOnline(device: Device, subs: readonly Device[], now: number): Publication[] {
  return [device, ...subs].flatMap((each) => {
    if (each.online) return [];
    each.online = true;
    each.activated = true;
    each.lastPacketAt = now;
    return [status(each, true, now, now, now)];
  });
}

/**
 * The platform notices that the device is gone, and its sub-devices with it. It was last heard at its `lastPacketAt`, which
 * is now when it said goodbye and a keep-alive timeout ago when it fell silent.
 */
export function goOffline(device: Device, subs: readonly Device[], now: number, reason?: OfflineReason): Publication[] {
  return [device, ...subs].flatMap((each) => {
    if (!each.online) return [];
    each.online = false;
    return [status(each, false, now, Math.min(each.lastPacketAt, now), now, reason)];
  });
}

/**
 * A second connection takes over and is lost as well: offline, online, offline within moments, delivered as online,
 * offline, offline (protocol 13). Whoever goes by arrival is right by luck only; by lastTime the device is offline.
 */
export function flap(device: Device, random: Random, now: number): Publication[] {
  const [first, second, third] = [now - random.whole(400, 600), now - random.whole(100, 300), now];
  device.online = false;
  device.lastPacketAt = third;
  return [
    status(device, true, second + 2, second, now),
    status(device, false, first + 3, first, now),
    status(device, false, third, third, now),
  ];
}

/**
 * A device goes offline and online so many times within a moment, and is online in the end. An Enterprise instance tells all
 * of it; Living thins such transitions out (protocol 4.3): how is undocumented, here the first and the last are told.
 */
export function flicker(device: Device, times: number, random: Random, now: number): Publication[] {
  const said: Publication[] = [];
  let at = now - 2 * times * 120;
  for (let i = 0; i < times; i++) {
    const [lost, back] = [at + random.whole(1, 100), at + random.whole(121, 220)];
    at += 240;
    const thin = device.voice === 'living' && times > 1;
    if (!thin || i === 0) said.push(status(device, false, lost, lost, now));
    if (!thin || i === times - 1) said.push(status(device, true, back, back, now));
    device.lastPacketAt = back;
  }
  device.online = true;
  device.activated = true;
  return said;
}

/** How long after its last packet the platform gives a silent device up: 1.5 keep-alives and a scan (protocol 7.5). */
export const silenceMs = (random: Random, keepAliveMs = 60_000): number => 1.5 * keepAliveMs + random.whole(0, 30_000);
