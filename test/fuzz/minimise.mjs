// @ts-check

/**
 * @typedef {import('./input.mjs').Input} Input
 * @typedef {import('./checks.mjs').Fault} Fault
 */

const PATIENCE_MS = 5_000;

/**
 * A shorter input with the same kind of fault: pieces are taken out while it stays, large ones first.
 * @param {Input} input
 * @param {Fault} fault
 * @param {(input: Input) => Fault | null} faultOf
 * @returns {Input}
 */
export function minimise(input, fault, faultOf) {
  const until = performance.now() + PATIENCE_MS;
  const field = input.transfer === null ? 'body' : 'transfer';
  let best = input;
  const bytes = () => /** @type {Buffer} */ (best[field]);
  for (let piece = bytes().length >> 1; piece > 0; piece >>= 1) {
    for (let at = 0; at < bytes().length && performance.now() < until;) {
      const shorter = { ...best, [field]: Buffer.concat([bytes().subarray(0, at), bytes().subarray(at + piece)]) };
      if (faultOf(shorter)?.rule === fault.rule) best = shorter;
      else at += piece;
    }
  }
  return best;
}
