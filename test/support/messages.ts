import type { RawMessage } from '../../src/domain/raw-message.js';

/** When everything in tests happens unless they say otherwise: 2026-11-20T12:00:00Z. */
export const NOON = Date.UTC(2026, 10, 20, 12);

let serial = 0;

/** A message as a transport hands it over: valid, and different from every other unless told otherwise. */
export function aMessage(given: Partial<Omit<RawMessage, 'body'>> & { readonly body: unknown }): RawMessage {
  const { body, ...rest } = given;
  const messageId = rest.messageId === undefined ? `17${String(++serial).padStart(16, '0')}` : rest.messageId;
  return {
    transport: 'amqp',
    messageId,
    topic: null,
    generateTime: String(NOON),
    properties: {},
    fault: null,
    receivedAt: new Date(NOON + 500),
    ...rest,
    body: Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  };
}

/** A device of the tests. */
export const LOCK = { productKey: 'a1TestLock1', deviceName: 'lock-1', iotId: 'iotLock1' };

/** A property report: each property's value, all of one time. */
export function aPropertyReport(
  given: {
    readonly device?: { readonly productKey: string; readonly deviceName: string; readonly iotId?: string };
    readonly values?: Record<string, unknown>;
    readonly time?: number;
    readonly gmtCreate?: number;
    readonly raw?: Partial<RawMessage>;
  } = {},
): RawMessage {
  const { device = LOCK, values = { Battery: 80 }, time = NOON, gmtCreate = time + 5, raw = {} } = given;
  const items = Object.fromEntries(Object.entries(values).map(([id, value]) => [id, { value, time }]));
  return aMessage({
    topic: `/${device.productKey}/${device.deviceName}/thing/event/property/post`,
    generateTime: String(gmtCreate),
    ...raw,
    body: { ...device, deviceType: 'SmartDoor', gmtCreate, items },
  });
}
