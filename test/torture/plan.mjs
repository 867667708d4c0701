// @ts-check
import { FAULTS } from './catalogue.mjs';
import { SeededRandom } from './random.mjs';

/** @typedef {import('./catalogue.mjs').FaultEntry} FaultEntry */

/**
 * @typedef {object} PlannedFault
 * @property {number} at seconds from the start
 * @property {number} lasting seconds
 * @property {string} name
 * @property {number | null} replica which one it meets; null where it meets none
 * @property {Record<string, unknown>} parameters
 */

/** Seconds from the beginning of one fault of a lane to that of its next. */
const PACE = /** @type {const} */ ({ kills: [5, 9], troubles: [2.5, 6.5], platform: [2, 5] });
/** Before this nothing is broken: the first messages find everything in order. */
const CALM_SECONDS = 3;
/** What each replica has of its own. */
const OF_A_REPLICA = new Set(['process', 'clock', 'amqp', 'postgres']);

/**
 * What is broken when. Only chance from the seed: the same seed, length and set of faults give the same plan. Each fault comes
 * once before any of its lane is drawn by weight; two that would break the same thing never overlap, any others may.
 * @param {object} options
 * @param {string} options.seed
 * @param {number} options.seconds
 * @param {number} options.replicas
 * @param {ReadonlySet<string>} options.faults names of those that this machine can do and that were asked for
 * @returns {PlannedFault[]} in the order in which they begin
 */
export function makePlan({ seed, seconds, replicas, faults }) {
  /** Until when a thing is broken. @type {Map<string, number>} */
  const broken = new Map();
  /** @type {PlannedFault[]} */
  const plan = [];
  const lanes = /** @type {const} */ (['kills', 'troubles', 'platform']).map((lane) => {
    const random = new SeededRandom(`plan/${seed}/${lane}`);
    const entries = FAULTS.filter((entry) => entry.lane === lane && faults.has(entry.name));
    return { lane, random, entries, bag: random.shuffled(entries), at: CALM_SECONDS + random.between(0, 3) };
  });
  for (;;) {
    // Lane by lane in the order of time, so that what one has broken is known to the others.
    const [next] = lanes.filter(({ at, entries }) => at < seconds && entries.length > 0).sort((a, b) => a.at - b.at);
    if (next === undefined) return plan.sort((a, b) => a.at - b.at);
    const { random, entries, bag, at } = next;
    const candidates = [...bag, random.weighted(entries), random.weighted(entries)];
    for (const entry of candidates) {
      const planned = place(entry, at);
      if (planned === null) continue;
      plan.push(planned);
      if (bag.includes(entry)) bag.splice(bag.indexOf(entry), 1);
      break;
    }
    const [least, most] = PACE[next.lane];
    next.at += random.between(least, most);

    /**
     * @param {FaultEntry} entry
     * @param {number} from
     * @returns {PlannedFault | null} null where something it would break is broken, or the time is too short
     */
    function place({ name, lasting: [least, most], takes, draw }, from) {
      const lasting = rounded(random.between(least, most));
      if (from + lasting > seconds) return null;
      const own = takes.some((resource) => OF_A_REPLICA.has(resource));
      const choices = own ? random.shuffled(Array.from({ length: replicas }, (_, index) => index)) : [null];
      for (const replica of choices) {
        const things = takes.map((resource) => (OF_A_REPLICA.has(resource) ? `${resource}/${replica}` : resource));
        if (things.some((thing) => (broken.get(thing) ?? 0) > from)) continue;
        for (const thing of things) broken.set(thing, from + lasting + restOf(thing));
        return { at: rounded(from), lasting, name, replica, parameters: draw?.(random) ?? {} };
      }
      return null;
    }
  }
}

/**
 * What was broken has so long to come back, and to do something, before it is broken again: seconds.
 * @param {string} thing
 */
function restOf(thing) {
  return thing === 'database' || thing.startsWith('process/') ? 5 : 2;
}

/** @param {number} seconds */
function rounded(seconds) {
  return Math.round(seconds * 100) / 100;
}

/**
 * For people.
 * @param {readonly PlannedFault[]} plan
 */
export function planText(plan) {
  return plan
    .map(({ at, lasting, name, replica, parameters }) => {
      const details = Object.entries(parameters).map(
        ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      );
      const whom = replica === null ? '' : ` replica ${replica + 1}`;
      return `${at.toFixed(2).padStart(8)} s  for ${lasting.toFixed(2).padStart(5)} s  ${name}${whom}  ${details.join(' ')}`.trimEnd();
    })
    .join('\n');
}
