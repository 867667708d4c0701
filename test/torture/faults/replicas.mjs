// @ts-check
/** @typedef {import('./actions.mjs').Action} Action */

/** What is done to the processes of replicas. @type {Record<string, Action>} */
export const REPLICA_ACTIONS = {
  'kill-replica': async ({ replica, tally }) => {
    tally.kills++;
    await replica().kill();
    return () => replica().start();
  },
  'restart-replica': async ({ replica, excused }) => {
    await replica().stop(excused);
    return () => replica().start();
  },
  'remove-replica': async ({ replica, excused }) => {
    await replica().stop(excused);
    return () => replica().start();
  },
  'stop-replica': async ({ replica }) => {
    replica().signal('SIGSTOP');
    return async () => replica().signal('SIGCONT');
  },
  'add-replica': async ({ scene, parameters, tally, excused }) => {
    const added = await scene.addReplica();
    return async () => {
      if (parameters['ends'] !== 'SIGKILL') return added.stop(excused);
      tally.kills++;
      return added.kill();
    };
  },
  'clock-step': async ({ replica, parameters }) => {
    replica().setClock(Number(parameters['seconds']));
    return async () => replica().setClock(0);
  },
};
