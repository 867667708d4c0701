import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readLog } from './logs.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'torture-logs-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function log(...lines: (object | string)[]): string {
  const file = path.join(folder, 'log.jsonl');
  writeFileSync(file, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  return file;
}

describe('the log of a replica', () => {
  it('is searched for errors and for what Node says of a crash; warnings are counted', async () => {
    const file = log(
      { level: 30, msg: 'Listening' },
      { level: 40, msg: 'Lost' },
      { level: 40, msg: 'Lost' },
      { level: 50, msg: 'bad' },
      'TypeError: x',
    );
    const { errors, warnings } = await readLog('a', file, 0);
    expect(errors).toEqual(['a: {"level":50,"msg":"bad"}', 'a: TypeError: x']);
    expect([...warnings]).toEqual([['Lost', 2]]);
  });

  it('may say that it gave up stopping, as often as there was a reason', async () => {
    const line = 'living-mirror cannot run: it did not stop within 4500 ms of SIGTERM';
    expect((await readLog('a', log(line, line), 1)).errors).toEqual([`a: ${line}`]);
  });

  it('that was never begun has nothing in it', async () => {
    expect((await readLog('a', path.join(folder, 'none'), 0)).errors).toEqual([]);
  });
});
