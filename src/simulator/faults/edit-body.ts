import { isLosslessNumber, LosslessNumber, parse, stringify } from 'lossless-json';
import type { Publication } from '../platform/platform-message.js';

/** A JSON object whose numbers still have all their digits. */
export type Body = Record<string, unknown>;

/** The body as a JSON object to edit; null when it is something else. */
export function readBody({ body }: Publication): Body | null {
  try {
    const value = parse(typeof body === 'string' ? body : Buffer.from(body).toString('utf8'));
    return isObject(value) ? value : null;
  } catch {
    return null; // binary, cut, or nested too deeply
  }
}

/** The same message with another body; the message log shows which fault did it. */
export function withBody(publication: Publication, body: Body, by: string): Publication {
  return markedBy({ ...publication, body: stringify(body) ?? '' }, by);
}

/** The message as one that a fault has changed. */
export function markedBy(publication: Publication, by: string): Publication {
  return { ...publication, origin: { ...(publication.origin ?? { from: 'control' }), by } };
}

export function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value);
}

/** A whole number of JSON text. */
export const whole = (value: number): LosslessNumber => new LosslessNumber(String(Math.trunc(value)));

/**
 * Moves the times that a device's own clock gave by so many milliseconds, in place: those of properties (7.1, 7.10), of events
 * (7.2, 7.11), and of values that failed validation. The platform's own times (gmtCreate, status) stay. Returns how many
 * there were.
 */
export function shiftDeviceTimes(body: Body, byMs: number): number {
  let shifted = 0;
  const shift = (holder: unknown): void => {
    if (!isObject(holder)) return;
    const { time } = holder;
    if (!isLosslessNumber(time) || !/^\d{1,18}$/.test(time.value)) return;
    holder.time = new LosslessNumber(String(BigInt(time.value) + BigInt(Math.trunc(byMs))));
    shifted++;
  };
  for (const part of [body.items, body.checkFailedData]) {
    if (isObject(part)) Object.values(part).forEach(shift);
  }
  if (isObject(body.payload)) {
    for (const samples of Object.values(body.payload)) if (Array.isArray(samples)) samples.forEach(shift);
  }
  shift(body);
  return shifted;
}
