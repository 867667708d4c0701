/** Identifiers, product keys, device names, ids of users: no longer than this. */
export const TEXT_LIMIT = 256;

/** Whether PostgreSQL can hold a text: no NUL character and no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  if (text.includes('\0')) return false;
  return !SURROGATES.test(text) || !LONE_SURROGATE.test(text);
}

/** Whether a text is at most 256 characters long, a surrogate pair being one. */
export function isShort(text: string): boolean {
  return text.length <= TEXT_LIMIT || (text.length <= 2 * TEXT_LIMIT && [...text].length <= TEXT_LIMIT);
}

/** A text that PostgreSQL can hold: what it cannot is spelt out, a NUL character as backslash, `u0000`. */
export function visibleText(text: string): string {
  if (isStorable(text)) return text;
  return text
    .replaceAll('\0', '\\u0000')
    .replace(ALL_LONE_SURROGATES, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

/** The same, cut to a length. */
export function visibleShort(text: string, limit = TEXT_LIMIT): string {
  return cut(visibleText(cut(text, limit)), limit);
}

/** Never between the halves of a surrogate pair. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(limit - 2)) ? limit - 2 : limit - 1;
  return `${text.slice(0, end)}…`;
}

const SURROGATES = /[\ud800-\udfff]/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const ALL_LONE_SURROGATES = /\p{Surrogate}/gu;
