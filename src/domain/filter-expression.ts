/** A condition on devices, as people ask for it: `online eq true and state.temperature gt 30`. */
export type FilterExpression =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly FilterExpression[] }
  | { readonly kind: 'not'; readonly part: FilterExpression }
  | {
      readonly kind: 'compare';
      readonly field: FilterField;
      readonly operator: ComparisonOperator;
      readonly value: FilterValue;
    }
  | { readonly kind: 'in'; readonly field: FilterField; readonly values: readonly FilterValue[] }
  | {
      readonly kind: 'text';
      readonly field: FilterField;
      readonly operator: 'contains' | 'startsWith' | 'endsWith';
      readonly text: string;
    }
  | { readonly kind: 'exists'; readonly field: FilterField };

export type ComparisonOperator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';

/** What a condition looks at. */
export type FilterField =
  | { readonly kind: 'attribute'; readonly name: FilterAttribute }
  | { readonly kind: 'tag'; readonly key: string }
  /** The current value of a property; `path` leads into a struct. */
  | { readonly kind: 'state'; readonly identifier: string; readonly path: readonly string[] };

/** Attributes of a device that a condition can name; `owner` is any identity that owns the device now. */
export const FILTER_ATTRIBUTES = [
  'productKey',
  'deviceName',
  'iotId',
  'deviceType',
  'online',
  'since',
  'firstSeen',
  'lastSeen',
  'lifecycle',
  'gateway',
  'owner',
] as const;
export type FilterAttribute = (typeof FILTER_ATTRIBUTES)[number];

/** A value of JSON's types. A number is its text, so that no digit is lost; a time is an instant in epoch milliseconds. */
export type FilterValue =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'number'; readonly text: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'time'; readonly epochMs: number }
  | { readonly type: 'null' };
