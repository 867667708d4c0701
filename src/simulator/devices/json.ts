/** What a body may hold. A bigint is written digit by digit: platforms send integers that fit no double. */
export type Json = string | number | bigint | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** JSON text, with bigints as plain numbers. */
export function toJson(value: Json): string {
  try {
    return JSON.stringify(value);
  } catch {
    // Bigints it does not know, and there are few.
    return withBigints(value);
  }
}

function withBigints(value: Json): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(withBigints).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${withBigints(item)}`)
    .join(',')}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
