// @ts-check
import { canonical, NotKept } from '../canonical.mjs';

/** @import { Json } from '../exact-json.mjs' */

/**
 * Why an entry of a list is rejected: because it cannot be kept at all, else because something in it is too long, else because
 * it is no such entry.
 * @param {Json} entry
 * @param {boolean} tooLong whether nothing else is wrong with it
 */
export function entryFault(entry, tooLong) {
  try {
    canonical(entry);
  } catch (error) {
    if (error instanceof NotKept) return error.reason;
    throw error;
  }
  return tooLong ? 'too-long' : 'malformed';
}
