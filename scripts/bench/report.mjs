// @ts-check

/** @typedef {Awaited<ReturnType<typeof import('./run-bench.mjs').runBench>>} BenchResult */
/** @typedef {import('./run-bench.mjs').PeerResult} PeerResult */

const MIB = 1_024 * 1_024;
const NAMES = /** @type {const} */ ({ a: '(a) Prisma', b: '(b) service', c: '(c) bare', s: '(c) + seen' });

/** What was to be reached, and whether it was. @typedef {{ target: string, found: string, met: boolean | null }} Verdict */

/**
 * The result as text.
 * @param {BenchResult} result
 * @returns {string}
 */
export function report(result) {
  const { machine, peers, workload } = result;
  const columns = /** @type {(keyof typeof NAMES)[]} */ (['a', 'b', 'c', 's']).filter((name) => peers[name]);
  /** @type {[string, (peer: PeerResult) => string][]} */
  const lines = [
    ['messages sent', ({ flood }) => number(flood.messages)],
    ['messages/s', ({ flood }) => number(flood.messagesPerSecond)],
    ['readings/s', ({ flood }) => number(flood.readingsPerSecond)],
    ['receive to commit, flooded: p50 / p99, ms', ({ flood }) => latency(flood.receiveToCommit)],
    ['receive to commit at 1,000/s: p50 / p99, ms', ({ steady }) => latency(steady?.receiveToCommit)],
    ['sent to accepted at 1,000/s: p50 / p99, ms', ({ steady }) => latency(steady?.sentToAccepted)],
    ['CPU s/1,000 messages, process', ({ flood }) => number(flood.serviceCpuPerThousand, 3)],
    ['CPU s/1,000 messages, database', ({ flood }) => number(flood.databaseCpuPerThousand, 3)],
    ['peak memory, MiB', ({ peakMemoryBytes }) => number(peakMemoryBytes === null ? null : peakMemoryBytes / MIB)],
    ['bytes a reading, as inserted', ({ readings }) => number(readings.bytesPerRow)],
    ['write-ahead log, bytes a message', ({ flood }) => number(flood.walBytesPerMessage)],
    ['SeenMessage, bytes a message', ({ seen }) => number(seen?.bytesPerRow ?? null)],
    ['SeenMessage, share of transaction time', ({ flood }) => percent(flood.seenShare)],
  ];
  const rows = [
    ['', ...columns.map((name) => NAMES[name])],
    ...lines.map(([label, cell]) => [label, ...columns.map((name) => (peers[name] ? cell(peers[name]) : '-'))]),
  ].filter((row, index) => index === 0 || row.slice(1).some((cell) => cell !== '-'));
  const verdicts = judge(result).map(({ target, found, met }) => [
    met === null ? '  ?  ' : met ? '  ok ' : ' MISS',
    target,
    found,
  ]);
  return [
    `${machine.processors} x ${machine.model}, Node ${machine.node}, PostgreSQL ${machine.postgres} (fsync ${machine.postgresSettings['fsync']}), everything on this machine, load before: ${machine.loadBefore.toFixed(1)}`,
    `${number(workload.devices)} devices, ${workload.propertiesPerMessage} properties a message${result.quick ? '; quick: too short to quote' : ''}`,
    '',
    ...(columns.length > 0 ? [table(rows), ''] : []),
    ...(result.month ? [monthLine(result.month), ''] : []),
    ...(verdicts.length > 0 ? [table(verdicts)] : []),
  ].join('\n');
}

/**
 * @param {BenchResult} result
 * @returns {Verdict[]} for what was measured
 */
function judge({ peers, ratios, month }) {
  /** @type {Verdict[]} */
  const verdicts = [];
  const add = (
    /** @type {string} */ target,
    /** @type {number | null | undefined} */ value,
    /** @type {(value: number) => boolean} */ holds,
    /** @type {(value: number) => string} */ show,
  ) => {
    if (value !== null && value !== undefined) verdicts.push({ target, found: show(value), met: holds(value) });
  };
  const times = (/** @type {number} */ value) => `${value.toFixed(2)} times`;
  add('(b) at least 10 times (a)', ratios.serviceToPrisma, (value) => value >= 10, times);
  add('(b) at least 0.7 of (c)', ratios.serviceToBare, (value) => value >= 0.7, times);
  const p99 = peers['b']?.steady?.receiveToCommit?.p99;
  add(
    'p99 under 250 ms at 1,000 messages/s',
    p99,
    (value) => value < 250,
    (value) => `${value.toFixed(0)} ms`,
  );
  const memory = peers['b']?.peakMemoryBytes;
  const mib = (/** @type {number} */ value) => `${(value / MIB).toFixed(0)} MiB`;
  add('under 300 MB of memory', memory, (value) => value < 300e6, mib);
  const bytes = (/** @type {number} */ value) => `${value.toFixed(1)} bytes`;
  add('at most 90 bytes a closed reading', month?.closed.bytesPerRow, (value) => value <= 90, bytes);
  add('at most 10 bytes a packed reading', month?.packed.bytesPerRow, (value) => value <= 10, bytes);
  return verdicts;
}

/** @param {NonNullable<BenchResult['month']>} month */
function monthLine({ live, closed, packed }) {
  const parts = (/** @type {typeof live} */ { bytesPerRow, heap, index }) =>
    `${bytesPerRow.toFixed(1)} (table ${heap.toFixed(1)}, index ${index.toFixed(1)})`;
  return `A month of ${number(live.rows)} numeric readings, bytes each: live ${parts(live)}, closed ${parts(closed)}, packed ${packed.bytesPerRow.toFixed(1)} (${number(packed.perSecond)} a second)`;
}

/** @param {string[][]} rows */
function table(rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (/** @type {string[]} */ row) =>
    row
      .map((cell, column) =>
        column === 0 || isText(rows) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}

/** @param {string[][]} rows verdicts are sentences, figures stand to the right */
function isText(rows) {
  return rows[0]?.[0] !== '';
}

/** @param {number | null | undefined} value @param {number} [digits] */
function number(value, digits = 0) {
  if (value === null || value === undefined) return '-';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** @param {number | undefined} share */
function percent(share) {
  return share === undefined || share === 0 ? '-' : `${(share * 100).toFixed(0)} %`;
}

/** @param {import('./percentiles.mjs').Latency | null | undefined} found */
function latency(found) {
  return found ? `${number(found.p50)} / ${number(found.p99)}` : '-';
}
