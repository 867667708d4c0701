// @ts-check
import { fromJson, toJson } from './input.mjs';

/** @typedef {import('./input.mjs').Input} Input */

const HEAD_BYTES = 16;
const [SEQUENCE, LENGTH, STOP] = [0, 1, 2];
const ROOM_BYTES = 4 * 1024 * 1024;

/**
 * What the fuzzing thread is at, in memory that both threads see: the main thread can read it while the other hangs, and after
 * it has died.
 */
export class CurrentInput {
  /** @param {SharedArrayBuffer} [memory] */
  constructor(memory = new SharedArrayBuffer(HEAD_BYTES + ROOM_BYTES)) {
    this.memory = memory;
    this.head = new Int32Array(memory, 0, HEAD_BYTES / 4);
    this.bytes = Buffer.from(memory, HEAD_BYTES);
  }

  /** @param {Input} input */
  begin(input) {
    this.head[LENGTH] = this.bytes.write(JSON.stringify(toJson(input)));
    Atomics.add(this.head, SEQUENCE, 1);
  }

  /** Goes on with every input that is begun. */
  get sequence() {
    return Atomics.load(this.head, SEQUENCE);
  }

  /** @returns {Input | null} */
  read() {
    const length = this.head[LENGTH] ?? 0;
    return length === 0 ? null : fromJson(JSON.parse(this.bytes.toString('utf8', 0, length)));
  }

  stop() {
    Atomics.store(this.head, STOP, 1);
  }

  get stopped() {
    return Atomics.load(this.head, STOP) === 1;
  }
}
