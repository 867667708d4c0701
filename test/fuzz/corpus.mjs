// @ts-check
import { lengthOf } from './mutations/mutate.mjs';

/**
 * @typedef {import('./chance.mjs').Chance} Chance
 * @typedef {import('./input.mjs').Input} Input
 */

const LIMIT = 6_000;
const NEWEST = 40;

/** The inputs that reached something new: what further ones are made of. */
export class Corpus {
  /** @param {Chance} chance */
  constructor(chance) {
    this.chance = chance;
    /** @type {Input[]} */
    this.inputs = [];
    this.bytes = 0;
  }

  get size() {
    return this.inputs.length;
  }

  /** @param {Input} input */
  add(input) {
    const own = detached(input);
    this.bytes += sizeOf(own);
    if (this.inputs.length < LIMIT) {
      this.inputs.push(own);
      return;
    }
    const place = this.chance.below(LIMIT);
    this.bytes -= sizeOf(/** @type {Input} */ (this.inputs[place]));
    this.inputs[place] = own;
  }

  /** Any of them, but the latest more often, and of two the shorter: more of these can be tried in the same time. */
  pick() {
    const [one, two] = [this.any(), this.any()];
    return lengthOf(one) <= lengthOf(two) ? one : two;
  }

  any() {
    const newest = this.chance.happens(0.3) ? Math.max(0, this.inputs.length - NEWEST) : 0;
    return /** @type {Input} */ (this.inputs[newest + this.chance.below(this.inputs.length - newest)]);
  }
}

/**
 * With buffers of its own: a view would keep alive all that it is a view of.
 * @param {Input} input
 * @returns {Input}
 */
function detached(input) {
  const { body, transfer } = input;
  return { ...input, body: Buffer.from(body), transfer: transfer === null ? null : Buffer.from(transfer) };
}

/** @param {Input} input */
function sizeOf({ body, transfer, topic }) {
  return body.length + (transfer?.length ?? 0) + 2 * (topic?.length ?? 0) + 600;
}
