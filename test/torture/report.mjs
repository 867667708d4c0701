// @ts-check

/** @typedef {import('./run-torture.mjs').TortureResult} TortureResult */

const MIB = 1_024 * 1_024;
const WIDTH = 118;

/**
 * One screen.
 * @param {TortureResult} result
 */
export function report(result) {
  const { seed, minutes, replicas, figures, faults, skipped, notes, verdict, judgement } = result;
  const { ledger, distinct, rows } = judgement;
  const away = Object.entries(faults).map(([name, { count, seconds }]) => `${name} ${count}× ${Math.round(seconds)} s`);
  const lines = [
    `Torture: seed ${seed}, ${minutes} minutes, ${replicas} replicas`,
    '',
    field(
      'messages',
      `${figures.published} made, ${distinct} of them different; ${figures.redelivered} deliveries were repeated`,
    ),
    field(
      'readings',
      `${figures.readings}; rows as they must be: ${list(Object.entries(rows).map(([table, count]) => `${table} ${count}`)) || 'nobody said'}`,
    ),
    field(
      'outcomes',
      `received ${ledger.received} = stored ${ledger.stored} + duplicate ${ledger.duplicate} + set aside ${ledger.setAside}; of these ${list(Object.entries(ledger.shares).map(([share, count]) => `${share} ${count}`)) || 'no shares'}`,
    ),
    field('kills', `${figures.kills}; replicas were started ${figures.starts} times`),
    field(
      'backlog',
      `${figures.largestBacklog} at most; quiet ${figures.quietSeconds.toFixed(1)} s after the last fault`,
    ),
    field(
      'memory',
      `replicas ${Math.round(figures.peakReplicaBytes / MIB)} MiB at most, platform ${Math.round(figures.peakPlatformBytes / MIB)} MiB`,
    ),
    field('took', `${Math.round(figures.totalSeconds)} s in all, ${figures.judgeSeconds.toFixed(1)} s of it to judge`),
    field('faults', list(away) || 'none'),
    ...skipped.map((line) => field('left out', line)),
    ...notes.slice(0, 5).map((line) => field('note', line)),
    '',
  ];
  if (verdict === 'holds') {
    lines.push('Everything holds: tables, ledger, set-aside rows, logs; nothing is unanswered.');
  } else {
    lines.push(
      `BROKEN: ${judgement.problems.length} things do not hold.`,
      ...judgement.problems.slice(0, 15).map((line) => `  ${line.slice(0, 600)}`),
    );
    const [smallest] = judgement.differences;
    if (smallest) {
      lines.push(
        '',
        `Smallest difference: ${smallest.table} ${smallest.key}`,
        `  must be  ${smallest.expected ?? 'no such row'}`,
        `  is       ${smallest.actual ?? 'no such row'}`,
      );
    }
    lines.push('', `Seed ${seed}. To repeat: ${result.command}`, `Logs, journal and database: ${result.folder}`);
  }
  return lines.join('\n');
}

/** @param {string} name @param {string} text */
function field(name, text) {
  const indent = 12;
  const words = text.split(' ');
  const rows = [''];
  for (const word of words) {
    const row = rows.at(-1) ?? '';
    if (row !== '' && row.length + word.length + 1 > WIDTH - indent) rows.push(word);
    else rows[rows.length - 1] = row === '' ? word : `${row} ${word}`;
  }
  return `  ${name.padEnd(indent - 2)}${rows.join(`\n${' '.repeat(indent)}`)}`;
}

/** @param {readonly string[]} items */
function list(items) {
  return items.join(', ');
}
