// @ts-check
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, SourceMap } from 'node:module';
import path from 'node:path';

/** What Jest counts its coverage with: a counter for every statement, branch and function. It has no types. */
const { createInstrumenter } = createRequire(import.meta.url)('istanbul-lib-instrument');

/** The global of a worker in which the counters are. */
export const COUNTERS = '__fuzz_coverage__';

/** The code that is guided by: decoders, the reader of transfers, the form that is set aside. */
const INSTRUMENTED = [
  /^decoding\//,
  /^transports\/amqp\/(raw-message|wire-value)\.js$/,
  /^ingest\/set-aside-form\.js$/,
];
/** The thread for large bodies has tests of its own. */
const NOT_INSTRUMENTED = /^decoding\/(decode-large|decoding-thread)/;

/**
 * Copies a build and puts counters into the code that is guided by.
 * @param {string} dist
 * @param {string} target below the checkout, whose packages it uses
 */
export function instrument(dist, target) {
  rmSync(target, { recursive: true, force: true });
  cpSync(dist, target, { recursive: true, filter: (source) => !source.startsWith(path.join(dist, 'simulator')) });
  const instrumenter = createInstrumenter({ esModules: true, coverageVariable: COUNTERS, compact: false });
  for (const file of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.js') || NOT_INSTRUMENTED.test(file) || !INSTRUMENTED.some((each) => each.test(file))) continue;
    const source = readFileSync(path.join(target, file), 'utf8');
    writeFileSync(path.join(target, file), instrumenter.instrumentSync(source, file));
  }
}

/**
 * Where a line of the build comes from.
 * @param {string} dist
 * @param {string} file
 * @returns {(line: number, column: number) => string} `src/…:line`
 */
export function originOf(dist, file) {
  const map = new SourceMap(JSON.parse(readFileSync(path.join(dist, `${file}.map`), 'utf8')));
  return (line, column) => {
    const entry = map.findEntry(line - 1, column);
    const original = 'originalLine' in entry ? entry.originalLine + 1 : line;
    return `src/${file.replace(/\.js$/, '.ts')}:${original}`;
  };
}
