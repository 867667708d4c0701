import type { Type } from '@nestjs/common';
import { type ApiResponseSchemaHost, DECORATORS } from '@nestjs/swagger';

/** What a list holds, as far as its description tells. */
export interface ListShape {
  /** The class that describes an item, or the schema itself. */
  readonly item: Type | SchemaObject;
  /** The fields of an item in the order of their description: the columns of CSV. */
  readonly columns: readonly string[];
  /** Whether items may have further fields, as the question wants them. */
  readonly open: boolean;
}

/** A description in place, as of `@ApiProperty({ type: 'array', items })`. */
type SchemaObject = ApiResponseSchemaHost['schema'];

/** The shape of a list; null for the description of anything but `{ items, next }`. */
export function shapeOf(schema: Type): ListShape | null {
  const fields = fieldsOf(schema);
  if (!fields.includes('items') || !fields.includes('next')) return null;
  const { type, items } = Reflect.getMetadata(DECORATORS.API_MODEL_PROPERTIES, schema.prototype as object, 'items') as {
    readonly type?: unknown;
    readonly items?: SchemaObject;
  };
  if (items?.properties) {
    return { item: items, columns: Object.keys(items.properties), open: items.additionalProperties !== undefined };
  }
  const item = Array.isArray(type) ? (type[0] as unknown) : type;
  if (typeof item !== 'function' || fieldsOf(item as Type).length === 0) return null;
  return { item: item as Type, columns: fieldsOf(item as Type), open: false };
}

/** The names that a class describes to OpenAPI, in their order. */
export function fieldsOf(described: Type): readonly string[] {
  const names: unknown = Reflect.getMetadata(DECORATORS.API_MODEL_PROPERTIES_ARRAY, described.prototype as object);
  return Array.isArray(names) ? names.map((name) => String(name).slice(1)) : [];
}
