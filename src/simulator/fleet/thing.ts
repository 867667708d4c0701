import type { Fields } from '../devices/messages.js';
import type { Json } from '../devices/json.js';
import type { EventType, ModelService } from '../models/thing-model.js';

/** An event as the device raises it; its name is the model's. */
export interface Raised {
  readonly identifier: string;
  readonly type: EventType;
  readonly value: Fields;
}

/** The physical side of a device: what its sensors show. Knows nothing of the platform. */
export interface Thing {
  /** Lets the world go on until `now` (ms since 1970) and returns every property's value. */
  measure(now: number): Readonly<Record<string, Json>>;
  /** Raises an event of this type as the device could now; null when it knows none. */
  raise(type: EventType, now: number): Raised | null;
  /** Does what a command wants of a property. The value fits the model. */
  set(identifier: string, value: Json, now: number): void;
  /** Does what a service is for and returns what it tells; a thing without it answers from its model. */
  call?(service: ModelService, params: Fields, now: number): Fields | null;
}
