import type { DeviceEvent, Reading, ValueRejected } from '../domain/device-event.js';
import { reportsOf } from '../domain/facts.js';
import { storedValue } from './canonical-json.js';
import { rejected, type Message } from './decoder.js';
import { isJsonObject, type Json } from './json.js';
import { isShort, isStorable } from './storable-text.js';

/** A report of more readings is told as several, so that nobody downstream has to handle an endless one in one piece. */
export const READINGS_AN_EVENT = 1_000;

/** Why a text cannot be an identifier; null when it can. */
export function identifierFault(identifier: string): 'too-long' | 'not-storable' | null {
  if (!isShort(identifier)) return 'too-long';
  return isStorable(identifier) ? null : 'not-storable';
}

/** Takes the items of a property message one by one. A bad one costs only itself. */
export class ReadingCollector {
  private readonly readings: Reading[] = [];
  private readonly rejections: ValueRejected[] = [];

  constructor(private readonly message: Message) {}

  /** `item` is `{ value, time }`; without a time, the message's own is taken. */
  add(identifier: string, item: Json | undefined): void {
    const fault = identifierFault(identifier);
    if (fault !== null) {
      this.rejections.push(badIdentifier(this.message, identifier, fault, item));
      return;
    }
    if (!isJsonObject(item) || item['value'] === undefined) {
      this.reject(identifier, 'malformed', item ?? null);
      return;
    }
    const at = this.message.times.of(item['time']);
    if (typeof at === 'string') {
      this.reject(identifier, at, item);
      return;
    }
    const value = storedValue(item['value']);
    if ('reason' in value) this.reject(identifier, value.reason, item, item['time']);
    else this.readings.push({ identifier, value, at });
  }

  /** A `properties-reported` (or several) with what could be kept, if anything, and what could not. */
  events(): readonly DeviceEvent[] {
    const { device, times } = this.message;
    if (this.readings.length === 0) return this.rejections;
    const report = { kind: 'properties-reported', device, at: times.at, readings: this.readings } as const;
    return [...reportsOf(report, READINGS_AN_EVENT), ...this.rejections];
  }

  private reject(identifier: string, reason: ValueRejected['reason'], sent: Json, time?: Json): void {
    this.rejections.push(rejected(this.message, identifier, reason, sent, time));
  }
}

/** The values that the platform's own validation found wrong (`checkFailedData`: identifier -> code, message, value, time). */
export function checkFailures(message: Message, checkFailedData: Json | undefined): readonly ValueRejected[] {
  if (checkFailedData === undefined || checkFailedData === null) return [];
  if (!isJsonObject(checkFailedData)) return [rejected(message, 'checkFailedData', 'malformed', checkFailedData)];
  return Object.entries(checkFailedData).map(([identifier, entry]) =>
    identifierFault(identifier) === null
      ? rejected(message, identifier, 'check-failed', entry, timeOf(entry))
      : badIdentifier(message, identifier, 'check-failed', entry),
  );
}

/** The rejected value holds the identifier in full, since `identifier` cannot. */
function badIdentifier(
  message: Message,
  identifier: string,
  reason: ValueRejected['reason'],
  item: Json | undefined,
): ValueRejected {
  return rejected(message, identifier, reason, { [identifier]: item ?? null }, timeOf(item));
}

function timeOf(item: Json | undefined): Json | undefined {
  return isJsonObject(item) ? item['time'] : undefined;
}
