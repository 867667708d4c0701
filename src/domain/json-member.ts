/**
 * The text of a member of a JSON document, so that no digit of a number is lost; null where there is none. A path leads
 * through objects only. The document must be valid JSON without duplicate keys, as PostgreSQL prints it.
 */
export function jsonMember(json: string, path: readonly string[]): string | null {
  let at = behindSpace(json, 0);
  for (const name of path) {
    const member = findMember(json, at, name);
    if (member === null) return null;
    at = member;
  }
  return json.slice(at, behindValue(json, at));
}

/** Where the value of a member begins, of the object that begins at `from`. */
function findMember(json: string, from: number, name: string): number | null {
  if (json[from] !== '{') return null;
  let at = behindSpace(json, from + 1);
  while (json[at] === '"') {
    const end = behindString(json, at);
    const value = behindSpace(json, behindSpace(json, end) + 1); // behind the colon
    if (JSON.parse(json.slice(at, end)) === name) return value;
    at = behindSpace(json, behindSpace(json, behindValue(json, value)) + 1); // behind the comma, or the brace
  }
  return null;
}

/** Counts brackets rather than calling itself: a document may be deep. */
function behindValue(json: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    const character = json[at];
    if (character === '"') at = behindString(json, at);
    else if (character === '{' || character === '[') {
      depth += 1;
      at += 1;
    } else if (character === '}' || character === ']') {
      depth -= 1;
      at += 1;
    } else if (character !== undefined && depth > 0 && ',: \t\r\n'.includes(character)) at += 1;
    else at = behindScalar(json, at);
  } while (depth > 0 && at < json.length);
  return at;
}

function behindScalar(json: string, from: number): number {
  let at = from;
  while (at < json.length && !',]}: \t\r\n'.includes(json.charAt(at))) at += 1;
  return at;
}

function behindString(json: string, from: number): number {
  let at = from + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

function behindSpace(json: string, from: number): number {
  let at = from;
  while (at < json.length && ' \t\r\n'.includes(json.charAt(at))) at += 1;
  return at;
}
