import type { Json } from '../devices/json.js';

// The thing model of a product as the platform's TSL writes it; only what the simulator uses of it.

/** The type of a value. `bool` and `enum` travel as integers, `date` as text of milliseconds since 1970. */
export type DataType =
  | {
      readonly type: 'int' | 'float' | 'double';
      readonly min: number | null;
      readonly max: number | null;
      readonly step: number | null;
      readonly unit: string | null;
    }
  | { readonly type: 'bool' | 'enum'; readonly names: ReadonlyMap<number, string> }
  | { readonly type: 'text'; readonly length: number }
  | { readonly type: 'date' }
  | { readonly type: 'array'; readonly size: number; readonly item: DataType }
  | { readonly type: 'struct'; readonly members: readonly ModelField[] };

export interface ModelField {
  readonly identifier: string;
  readonly name: string;
  readonly dataType: DataType;
}

export interface ModelProperty extends ModelField {
  readonly writable: boolean;
}

export type EventType = 'info' | 'alert' | 'error';

export interface ModelEventType {
  readonly identifier: string;
  readonly name: string;
  readonly type: EventType;
  readonly outputs: readonly ModelField[];
}

export interface ModelService {
  readonly identifier: string;
  readonly name: string;
  readonly async: boolean;
  readonly inputs: readonly ModelField[];
  readonly outputs: readonly ModelField[];
}

/** What devices of a product measure, tell and do. `property/post`, `property/get` and `property/set` are not listed. */
export interface ThingModel {
  readonly productKey: string | null;
  readonly properties: ReadonlyMap<string, ModelProperty>;
  readonly events: ReadonlyMap<string, ModelEventType>;
  readonly services: ReadonlyMap<string, ModelService>;
}

/** An entry of `checkFailedData` without its time (protocol 7.1). */
export interface CheckFailure {
  readonly code: number;
  readonly message: string;
  readonly value: Json;
}
