import { type Environment, VARIABLES } from './read-settings.js';

/** Well-known variables of other programs that share our prefixes. */
const OTHERS = new Set(['HTTP_PROXY', 'HTTP_PROXY_HOST', 'HTTP_PROXY_PORT', 'HTTP_VERSION']);

/**
 * Sentences about variables that nobody reads and that look like misspelt settings, each with the name that was probably
 * meant. Names only, never values.
 */
export function typosIn(environment: Environment): readonly string[] {
  return Object.keys(environment)
    .filter((name) => !VARIABLES.includes(name) && !OTHERS.has(name) && environment[name] !== '')
    .flatMap((name) => {
      const [nearest, distance] = nearestTo(name);
      if (distance <= (/^(AMQP|HTTP)_/.test(name) ? 4 : 2))
        return [`${name} is not a setting; did you mean ${nearest}?`];
      return name.startsWith('AMQP_') ? [`${name} is not a setting and is ignored`] : [];
    });
}

function nearestTo(name: string): readonly [nearest: string, distance: number] {
  let best: readonly [string, number] = ['', Infinity];
  for (const variable of VARIABLES) {
    if (Math.abs(variable.length - name.length) >= Math.min(best[1], 5)) continue;
    const distance = editsBetween(name, variable);
    if (distance < best[1]) best = [variable, distance];
  }
  return best;
}

/** Levenshtein distance. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
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
