/** Of the known names the one that a misspelt name most probably means; null when none is near. */
export function nearestName(given: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(1, Math.floor(given.length / 3)) + 1;
  for (const name of known) {
    const edits = distance(given.toLowerCase().slice(0, 64), name);
    if (edits < least) [best, least] = [name, edits];
  }
  return best ?? known.find((name) => given.length > 2 && name.startsWith(given)) ?? null;
}

/** `is not known`, with the nearest known name or all of them. */
export function unknownName(what: string, given: string, known: readonly string[]): string {
  const near = nearestName(given, known);
  const advice = near === null ? `there are ${known.join(', ')}` : `did you mean ${JSON.stringify(near)}?`;
  return `no ${what} is called ${JSON.stringify(given.slice(0, 64))}; ${advice}`;
}

/** How many letters must be put in, taken out or changed (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
