// @ts-check
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { PlainError, codeOf } from '../plain-error.mjs';

const LIMIT_BYTES = 20_000_000;

/** The log of one part: begun anew at each start and when it has grown large; the one before is kept as `….1`. */
export class LogFile {
  #path;
  #descriptor;
  #bytes = 0;

  /** @param {string} file */
  constructor(file) {
    this.#path = file;
    try {
      mkdirSync(path.dirname(file), { recursive: true });
      this.#descriptor = this.#begin();
    } catch (error) {
      throw new PlainError(`Cannot write ${file} (${codeOf(error)}): check its owner, permissions and space.`, {
        cause: error,
      });
    }
  }

  /** @param {Buffer} chunk */
  write(chunk) {
    try {
      if (this.#bytes > LIMIT_BYTES) {
        closeSync(this.#descriptor);
        this.#descriptor = this.#begin();
        this.#bytes = 0;
      }
      // At once and not through a stream: the last words of a crash must be in the file when we point at it.
      writeSync(this.#descriptor, chunk);
      this.#bytes += chunk.length;
    } catch {
      // A full disk must not end what is still running; that it is full shows elsewhere.
    }
  }

  #begin() {
    try {
      renameSync(this.#path, `${this.#path}.1`);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    return openSync(this.#path, 'w', 0o600);
  }
}
