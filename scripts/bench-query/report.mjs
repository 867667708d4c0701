// @ts-check
import { DENSE_PRODUCT } from './fleet.mjs';

/** @typedef {Awaited<ReturnType<typeof import('./run-bench-query.mjs').runBenchQuery>>} Result */
/** @typedef {import('../bench/percentiles.mjs').Latency} Latency */

const MIB = 1_024 * 1_024;

/**
 * The result as a table for people, with a verdict on each promise.
 * @param {Result} result
 */
export function report(result) {
  const { machine, data, questions, export: exported, packed, busyShare } = result;
  const lines = [
    `${data.devices.toLocaleString('en')} devices, ${data.readings.toLocaleString('en')} readings; ${machine.processors} processors (${machine.model}), PostgreSQL ${machine.postgres}, Node ${machine.node}`,
    '',
    table([
      ['', 'p50 / p99, ms', 'while ingesting', 'a tenth of the data', 'growth', 'promised p99'],
      ...questions.map(({ name, withinMs, all, busy, tenth }) => [
        name,
        latency(all),
        latency(busy),
        latency(tenth),
        all && tenth ? (all.p50 / tenth.p50).toFixed(2) : '-',
        withinMs === null ? '' : `${withinMs} ${all && all.p99 < withinMs ? 'met' : 'NOT MET'}`,
      ]),
    ]),
  ];
  if (busyShare > 0) lines.push('', `While ingesting: ${(busyShare * 1_000).toFixed(0)} messages/s of 1,000 went in.`);
  if (exported) {
    const { rows, rowsPerSecond, residentBefore, residentPeak } = exported;
    lines.push(
      '',
      `CSV: ${rows.toLocaleString('en')} rows at ${Math.round(rowsPerSecond).toLocaleString('en')} rows/s (promised 200,000); memory ${mib(residentBefore)} before, ${mib(residentPeak)} at most`,
    );
  }
  for (const { name, readings, bytes } of packed) {
    const promised = name.includes(DENSE_PRODUCT) ? ' (promised 10)' : ', of series that seldom report';
    lines.push(
      `${name}: ${readings.toLocaleString('en')} packed readings at ${(bytes / readings).toFixed(1)} bytes each${promised}`,
    );
  }
  return lines.join('\n');
}

/** @param {Latency | null} found */
function latency(found) {
  return found ? `${found.p50.toFixed(1)} / ${found.p99.toFixed(1)}` : '-';
}

/** @param {number} bytes */
function mib(bytes) {
  return `${Math.round(bytes / MIB)} MiB`;
}

/** @param {string[][]} rows */
function table(rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
