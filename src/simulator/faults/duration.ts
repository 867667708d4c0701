const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** What people write for a duration, for error texts. */
export const DURATION_FORM = 'a number with a unit: 250ms, 30s, 5m, 12h, 1d';

/** Milliseconds of `30s`, `1.5h` and the like; null when it is none. A bare `0` is one too. */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0;
  const match = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(text);
  if (!match) return null;
  return Math.round(Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]);
}
