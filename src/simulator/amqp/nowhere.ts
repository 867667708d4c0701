import { Duplex } from 'node:stream';

/** The platform's end of a cable that is tied to nothing: it takes every byte, and none ever comes. */
export class Nowhere extends Duplex {
  override _read(): void {
    // nothing ever comes
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
  }

  override _writev(_chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: () => void): void {
    done();
  }

  setNoDelay(): this {
    return this;
  }
}
