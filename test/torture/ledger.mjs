// @ts-check

/** @typedef {{ received: number, stored: number, duplicate: number, setAside: number, shares: Record<string, number> }} Ledger */

const SET_ASIDE = 'set-aside';

/**
 * What table IngestCount says, over all replicas and restarts. Set aside is counted by reason or as one.
 * @param {readonly { outcome: string, count: string | number }[]} rows
 * @returns {Ledger}
 */
export function sumLedger(rows) {
  /** @type {Ledger} */
  const ledger = { received: 0, stored: 0, duplicate: 0, setAside: 0, shares: {} };
  for (const { outcome, count } of rows) {
    if (outcome.startsWith(SET_ASIDE)) ledger.setAside += Number(count);
    else if (outcome === 'received' || outcome === 'stored' || outcome === 'duplicate')
      ledger[outcome] += Number(count);
    else ledger.shares[outcome] = (ledger.shares[outcome] ?? 0) + Number(count);
  }
  return ledger;
}

export const LEDGER_SQL = 'SELECT outcome, sum(count)::text AS count FROM "IngestCount" GROUP BY outcome';

/**
 * Promise 5 over everything; quiet, so that nothing is in hand.
 * @param {Ledger} ledger
 * @param {number} distinct messages that were ever made
 * @returns {string[]} what does not add up, in words
 */
export function auditLedger({ received, stored, duplicate, setAside }, distinct) {
  const problems = [];
  if (received !== stored + duplicate + setAside) {
    problems.push(
      `received ${received} is not stored ${stored} + duplicate ${duplicate} + set aside ${setAside} = ${stored + duplicate + setAside}`,
    );
  }
  if (stored + setAside !== distinct) {
    problems.push(
      `stored ${stored} + set aside ${setAside} = ${stored + setAside}, but ${distinct} messages were made`,
    );
  }
  return problems;
}

/**
 * The same of one process (`GET /v1/ingest`).
 * @param {string} name
 * @param {any} answer
 * @returns {string[]}
 */
export function auditReplica(name, answer) {
  if (answer === undefined) return [`${name} does not answer GET /v1/ingest`];
  const { received, stored, duplicate, setAside, inHand } = answer;
  const spooled = spooledOf(answer);
  const sum = stored + duplicate + setAside + inHand + spooled;
  if (received === sum) return answer.addsUp === false ? [`${name} says itself that its count does not add up`] : [];
  return [
    `${name}: received ${received} is not stored ${stored} + duplicate ${duplicate} + set aside ${setAside} + in hand ${inHand} + spooled ${spooled} = ${sum}`,
  ];
}

/**
 * Messages in the spool of a replica.
 * @param {any} answer
 * @returns {number}
 */
export function spooledOf({ spooled }) {
  return Number(spooled ?? 0);
}
