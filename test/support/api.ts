import type { DeviceEvent } from '../../src/domain/device-event.js';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import type { DeviceKey } from '../../src/domain/device-key.js';
import { EventSink } from '../../src/domain/event-sink.js';
import type { Value } from '../../src/domain/value.js';
import { type AppOptions, type RunningApp, startApp } from './app.js';
import { freshDatabase } from './database.js';
import { NOON } from './messages.js';
import { decodedAs } from './writer.js';

/** An answer of the API. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: Headers;
  /** The bytes as they came: digits that JavaScript would lose are still there. */
  readonly text: string;
  readonly body: Record<string, unknown>;
}

/** The service on a database of its own, with ways to fill it and to ask it. */
export interface TestApi extends RunningApp {
  readonly databaseUrl: string;
  /** Writes what happened, as one batch of one message each. */
  happened(...events: readonly DeviceEvent[]): Promise<void>;
  write(...messages: readonly DecodedMessage[]): Promise<void>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** With a body, it goes as JSON. */
  post(path: string, body?: unknown): Promise<Answer>;
  delete(path: string): Promise<Answer>;
  /** Items of all pages, asking for `limit` at a time. */
  walk(path: string, limit: number): Promise<Record<string, unknown>[]>;
}

/** Starts the service without a transport. */
export async function startApi(options: Partial<AppOptions> = {}): Promise<TestApi> {
  const database = await freshDatabase();
  const running = await startApp({ databaseUrl: database.url, ...options });
  const sink = running.app.get(EventSink, { strict: false });
  const write = async (...messages: readonly DecodedMessage[]): Promise<void> => {
    await sink.write(messages);
  };
  const ask = (path: string, init: RequestInit): Promise<Answer> => answer(running.url + path, init);
  return {
    ...running,
    databaseUrl: database.url,
    write,
    happened: (...events) => write(...events.map((event) => decodedAs([event]))),
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, body) =>
      ask(path, {
        method: 'POST',
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
    delete: (path) => ask(path, { method: 'DELETE' }),
    walk: async (path, limit) => {
      const items: Record<string, unknown>[] = [];
      let next: unknown = null;
      do {
        const cursor = typeof next === 'string' ? `&cursor=${next}` : '';
        const { body } = await ask(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}${cursor}`, {});
        items.push(...(body['items'] as Record<string, unknown>[]));
        next = body['next'];
      } while (next !== null);
      return items;
    },
    close: async () => {
      await running.close();
      await database.drop();
    },
  };
}

async function answer(url: string, init: RequestInit): Promise<Answer> {
  const reply = await fetch(url, init);
  const text = await reply.text();
  const type = reply.headers.get('content-type') ?? '';
  const body = (/[/+]json/.test(type) ? JSON.parse(text) : {}) as Record<string, unknown>;
  return { status: reply.status, type, headers: reply.headers, text, body };
}

export const aNumber = (text: string): Value => ({ kind: 'number', text });
export const aJson = (text: string): Value => ({ kind: 'json', text });

/** `seconds` after NOON. */
export const after = (seconds: number): Date => new Date(NOON + seconds * 1000);

/** A report of one property. */
export function aReading(device: DeviceKey, identifier: string, value: Value, at: Date = after(0)): DeviceEvent {
  return { kind: 'properties-reported', device, at, readings: [{ identifier, value, at }] };
}

export function anEvent(
  device: DeviceKey,
  identifier: string,
  at: Date = after(0),
  more: { readonly value?: string; readonly requestId?: string } = {},
): DeviceEvent {
  const { value = '{}', requestId = null } = more;
  return { kind: 'event-raised', device, at, identifier, name: identifier, type: 'info', requestId, value };
}

export function aStatus(
  device: DeviceKey,
  online: boolean,
  at: Date = after(0),
  reason: number | null = null,
): DeviceEvent {
  return { kind: 'presence-changed', device, at, online, orderedBy: at, reason, detail: '{}' };
}

export function anIdentity(
  device: DeviceKey,
  iotId: string,
  at: Date = after(0),
  deviceType: string | null = null,
): DeviceEvent {
  return { kind: 'device-identified', device, at, iotId, deviceType };
}

export function aBinding(device: DeviceKey, identityId: string, bound: boolean, at: Date, owned = true): DeviceEvent {
  const user = { identityId, scopeId: 'scope', tenantId: 'tenant' };
  return { kind: bound ? 'user-bound' : 'user-unbound', device, at, user, owned };
}
