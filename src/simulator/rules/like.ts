/**
 * Matches a LIKE pattern, in which `%` stands for any text and everything else for itself (the platform knows no other
 * wildcard). One look at each character whatever the pattern: the parts are looked for from left to right.
 */
export function like(text: string, pattern: string): boolean {
  const parts = pattern.split('%');
  const first = parts.shift() ?? '';
  const last = parts.pop();
  if (last === undefined) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
