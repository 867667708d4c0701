import type { Json } from './json.js';

export type EventType = 'info' | 'alert' | 'error';

/** An event of a thing model, raised now. */
export interface ModelEvent {
  readonly identifier: string;
  readonly name: string;
  readonly type: EventType;
  readonly value: Readonly<Record<string, Json>>;
}

/** The physical side of a device: what its sensors show. Knows nothing of the platform. */
export interface Thing {
  /** Lets the world go on until `now` (ms since 1970) and returns every property's value. */
  measure(now: number): Readonly<Record<string, Json>>;
  /** Raises an event of this type as the device could now. */
  raise(type: EventType): ModelEvent;
}
