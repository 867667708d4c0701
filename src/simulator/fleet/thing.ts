import type { Json } from '../devices/json.js';
import type { ModelEvent } from '../devices/messages.js';
import type { EventType } from '../models/thing-model.js';

/** The physical side of a device: what its sensors show. Knows nothing of the platform. */
export interface Thing {
  /** Lets the world go on until `now` (ms since 1970) and returns every property's value. */
  measure(now: number): Readonly<Record<string, Json>>;
  /** Raises an event of this type as the device could now. */
  raise(type: EventType): ModelEvent;
}
