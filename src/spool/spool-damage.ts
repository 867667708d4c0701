import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { Metrics } from '../telemetry/metrics.js';
import type { Damage } from './spool-record.js';

/** The folder, in that of the spool, where bytes are kept that nobody can read. */
export const DAMAGED = 'damaged';

/** Says what of a spool could not be read, each part once, and keeps its bytes for whoever can. */
export class DamageReport {
  private readonly log = new Logger('Spool');
  private readonly told = new Set<string>();
  private sum = 0;

  constructor(private readonly metrics: Metrics | null) {}

  /** Bytes that could not be read so far. */
  get bytes(): number {
    return this.sum;
  }

  /** @param cutOff true for the end of the last file, which a crash tore off: it was not accepted, and is removed. */
  async tell(path: string, { from, to }: Omit<Damage, 'torn'>, bytes: Buffer, cutOff: boolean): Promise<void> {
    const file = basename(path);
    if (this.told.has(`${file} ${from}`)) return;
    this.told.add(`${file} ${from}`);
    this.sum += bytes.length;
    this.metrics?.spoolDamagedBytes.inc(bytes.length);
    const copy = join(dirname(path), DAMAGED, `${file}-${from}`);
    await writeFile(copy, bytes, { mode: 0o600 }).catch(() => undefined); // a full disk must not hide the damage itself
    const where = { file: path, from, to, copy };
    if (cutOff) {
      this.log.warn({ msg: 'A crash tore off the end of the spool, which nobody had accepted yet: cut off', ...where });
    } else {
      this.log.error({ msg: 'A part of the spool is damaged: the messages in it cannot be stored', ...where });
    }
  }
}
