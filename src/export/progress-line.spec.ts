import { expect, it } from '@jest/globals';
import { ProgressLine } from './progress-line.js';

/** A screen that keeps what it shows, and a clock that goes on by hand. */
function shown(isTTY: boolean, quiet = false) {
  const written: string[] = [];
  let ms = 0;
  const line = new ProgressLine({ isTTY, write: (text) => written.push(text) }, quiet, () => ms);
  return { written, line, pass: (more: number) => (ms += more) };
}

it('changes one line of a terminal', () => {
  const { written, line, pass } = shown(true);
  line.add(10_000, 700_000);
  expect(written).toEqual([]);
  pass(500);
  line.add(240_000, 16_800_000);
  line.end('a.csv');
  expect(written).toEqual([
    '\r\u001b[2K250,000 rows, 17.5 MB, 500,000 rows/s',
    '\r\u001b[2K250,000 rows, 17.5 MB, 500,000 rows/s in a.csv: complete',
    '\n',
  ]);
});

it('writes a line now and then elsewhere, and says at once why nothing comes, and that only once', () => {
  const { written, line, pass } = shown(false);
  line.goOn(50);
  pass(1000);
  line.add(100, 5000);
  line.waiting('the service does not answer');
  line.waiting('the service does not answer');
  line.waiting(null);
  pass(9000);
  line.add(100, 5000);
  expect(written).toEqual([
    'Going on behind 50 rows\n',
    '150 rows, 5 kB, 100 rows/s – the service does not answer: trying again\n',
  ]);
  pass(1000);
  line.end(undefined);
  expect(written.at(-1)).toBe('250 rows, 10 kB, 18 rows/s: complete\n');
});

it('is silent where that is wanted', () => {
  const { written, line, pass } = shown(true, true);
  line.goOn(50);
  pass(1000);
  line.add(1, 1);
  line.waiting('x');
  line.end('x');
  expect(written).toEqual([]);
});
