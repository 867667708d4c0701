// @ts-check
import { DATABASE_ACTIONS } from './database.mjs';
import { REPLICA_ACTIONS } from './replicas.mjs';
import { WIRE_ACTIONS } from './wires.mjs';

/**
 * @typedef {object} Circumstances
 * @property {import('../scene.mjs').Scene} scene
 * @property {() => import('../replica.mjs').Replica} replica the one that is met
 * @property {Record<string, unknown>} parameters
 * @property {{ kills: number }} tally
 * @property {() => boolean} excused whether the replica's database or platform is broken by something else just now
 * @property {(part: number, happen: () => Promise<void>) => void} after at this part (0 to 1) of the time that it lasts
 */

/** Begins a fault; what it returns ends it. @typedef {(circumstances: Circumstances) => Promise<() => Promise<void>>} Action */

const PLATFORM = 'platform-';

/** @type {Record<string, Action>} */
const ACTIONS = { ...REPLICA_ACTIONS, ...DATABASE_ACTIONS, ...WIRE_ACTIONS };

/**
 * How a fault of the catalogue is done.
 * @param {string} name
 * @param {string} seed of this one
 * @returns {Action}
 */
export function actionOf(name, seed) {
  if (!name.startsWith(PLATFORM)) {
    const action = ACTIONS[name];
    if (action === undefined) throw new Error(`nobody knows how ${name} is done`);
    return action;
  }
  return async ({ scene: { platform }, parameters }) => {
    const id = await platform.ask({ do: 'fault', name: name.slice(PLATFORM.length), parameters, seed });
    return async () => {
      await platform.ask({ do: 'end-fault', id });
    };
  };
}
