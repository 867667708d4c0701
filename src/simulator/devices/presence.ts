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

/** How long after its last packet the platform gives a silent device up: 1.5 keep-alives and a scan (protocol 7.5). */
export const silenceMs = (random: Random): number => 90_000 + random.whole(0, 30_000);
