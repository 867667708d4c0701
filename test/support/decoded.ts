import { decodeMessage } from '../../src/decoding/decode-message.js';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import type { RawMessage } from '../../src/domain/raw-message.js';
import { aMessage } from './messages.js';

/** generateTime of the messages below, soon after the times in the protocol's examples. */
export const SENT = 1_700_000_173_456;

/** A device of each platform, as the protocol's examples name them, and their attributes. */
export const purifier = { productKey: 'a1DemoLiv01', deviceName: 'purifier-17' };
export const boiler = { productKey: 'h9DemoEnt02', deviceName: 'boiler-3' };
export const livingIot = { ...purifier, iotId: 'lv0Zc3demoIot0001', deviceType: 'AirPurifier' };
export const boilerIot = { ...boiler, iotId: 'en7Qx1demoIot0042' };

export const at = (ms: number): Date => new Date(ms);
export const number = (text: string) => ({ kind: 'number', text });
export const json = (text: string) => ({ kind: 'json', text });

/** What a message tells. Fails if it is refused. */
export function eventsOf(topic: string | null, body: unknown, raw: Partial<RawMessage> = {}): readonly DeviceEvent[] {
  const message = aMessage({ topic, generateTime: String(SENT), ...raw, body });
  const { events, refusal } = decodeMessage(message, { bodyIdentity: 'topic' });
  if (refusal !== null) throw new Error(`${refusal.reason}: ${refusal.detail}`);
  return events;
}

/** What it tells beside the attributes of devices. */
export function newsOf(...message: Parameters<typeof eventsOf>): readonly DeviceEvent[] {
  return eventsOf(...message).filter(({ kind }) => kind !== 'device-identified');
}

/** The event about attributes that goes with a message's news. */
export function identified(
  device: { readonly productKey: string; readonly deviceName: string },
  ms: number,
  iotId: string | null,
  deviceType: string | null,
): DeviceEvent {
  return { kind: 'device-identified', device, at: at(ms), iotId, deviceType };
}
