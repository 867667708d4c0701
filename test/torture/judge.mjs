// @ts-check
import { actualRows } from './referee/actual-rows.mjs';
import { differences } from './referee/differences.mjs';
import { Referee } from './referee/referee.mjs';
import { readJournal } from './journal.mjs';
import { LEDGER_SQL, auditLedger, auditReplica, sumLedger } from './ledger.mjs';
import { readLog } from './logs.mjs';

/**
 * @typedef {object} Judgement
 * @property {string[]} problems what does not hold, in words
 * @property {import('./referee/differences.mjs').Difference[]} differences the most telling ones first
 * @property {Record<string, number>} differencesByTable
 * @property {import('./ledger.mjs').Ledger} ledger
 * @property {number} distinct messages
 * @property {number} published lines of the journal
 * @property {Record<string, number>} rows by table, as they should be
 * @property {Record<string, number>} warnings
 */

const KEPT_DIFFERENCES = 20;
const SHOWN_ERRORS = 5;

/**
 * Whether everything holds that must, now that all is quiet.
 * @param {import('./scene.mjs').Scene} scene
 * @returns {Promise<Judgement>}
 */
export async function judge({ journal, database, platform, everyReplica, replicas }) {
  const problems = [];
  const referee = new Referee();
  let published = 0;
  for await (const message of readJournal(journal)) {
    published++;
    referee.add(message);
  }
  const expected = referee.expected();
  const found = differences(expected, await actualRows(database.url));
  /** @type {Record<string, number>} */
  const differencesByTable = {};
  for (const { table } of found) differencesByTable[table] = (differencesByTable[table] ?? 0) + 1;
  for (const [table, count] of Object.entries(differencesByTable))
    problems.push(`${count} rows of ${table} are not as they must be`);

  const { rows } = await database.ask(LEDGER_SQL, { timeoutMs: 30_000 });
  const ledger = sumLedger(rows);
  problems.push(...auditLedger(ledger, referee.messages).map((problem) => `the ledger: ${problem}`));
  for (const replica of replicas) problems.push(...auditReplica(replica.name, await replica.get('/v1/ingest')));

  const stats = await platform.ask({ do: 'stats' });
  if (stats.published !== published)
    problems.push(`the journal has ${published} messages, the platform made ${stats.published}`);
  if (stats.accepted !== stats.published) {
    problems.push(`the platform made ${stats.published} messages, and ${stats.accepted} were accepted`);
  }
  if (stats.queued + stats.unsettled + stats.dropped > 0) {
    problems.push(
      `at the platform ${stats.queued} wait, ${stats.unsettled} are not answered, ${stats.dropped} were given up`,
    );
  }

  /** @type {Record<string, number>} */
  const warnings = {};
  for (const { name, logFile, surprises, excusedStops } of everyReplica) {
    problems.push(...surprises);
    const log = await readLog(name, logFile, excusedStops);
    problems.push(...log.errors.slice(0, SHOWN_ERRORS).map((line) => `an error in the log of ${line}`));
    if (log.errors.length > SHOWN_ERRORS)
      problems.push(`${log.errors.length - SHOWN_ERRORS} further errors in the log of ${name}`);
    for (const [msg, count] of log.warnings) warnings[msg] = (warnings[msg] ?? 0) + count;
  }
  problems.push(...database.surprises);
  return {
    problems,
    differences: found.slice(0, KEPT_DIFFERENCES),
    differencesByTable,
    ledger,
    distinct: referee.messages,
    published,
    rows: Object.fromEntries([...expected].map(([table, keys]) => [table, keys.size])),
    warnings,
  };
}
