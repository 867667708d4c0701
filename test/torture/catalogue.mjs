// @ts-check

/** @typedef {import('./random.mjs').SeededRandom} SeededRandom */

/**
 * What can be broken, as the planner sees it; `test/torture/faults` knows how it is done.
 * @typedef {object} FaultEntry
 * @property {string} name
 * @property {string} what for people
 * @property {'kills' | 'troubles' | 'platform'} lane faults of one lane begin one after the other, those of others meanwhile
 * @property {number} weight how often it is drawn, once each fault of the lane has been
 * @property {readonly [number, number]} lasting seconds, from and to
 * @property {readonly Resource[]} takes what nothing else may break at the same time
 * @property {string} [needs] what a machine must have for it: see `abilities.mjs`
 * @property {(random: SeededRandom) => Record<string, unknown>} [draw] parameters
 */

/**
 * `database` is the one PostgreSQL; the others are of one replica: its process, its clock, and its two wires.
 * @typedef {'database' | 'process' | 'clock' | 'amqp' | 'postgres' | 'extra' | 'spools' | `simulator/${string}`} Resource
 */

const WIRES = /** @type {const} */ (['amqp', 'postgres']);

/** @type {readonly FaultEntry[]} */
const kills = [
  {
    name: 'kill-replica',
    what: 'kill -9 of a replica; started again a moment later',
    lane: 'kills',
    weight: 6,
    lasting: [0.2, 3],
    takes: ['process'],
  },
  {
    name: 'kill-postgres',
    what: 'kill -9 of every process of PostgreSQL; started again a moment later',
    lane: 'kills',
    weight: 2,
    lasting: [0.2, 5],
    takes: ['database'],
  },
  {
    name: 'kill-both',
    what: 'kill -9 of a replica and of PostgreSQL at the same instant',
    lane: 'kills',
    weight: 2,
    lasting: [0.2, 4],
    takes: ['database', 'process'],
  },
  {
    name: 'kill-while-away',
    what: 'kill -9 of a replica while the database is away: what it holds is in its spool or unanswered',
    lane: 'kills',
    weight: 2,
    lasting: [7, 10],
    takes: ['database', 'process'],
  },
];

/** @type {readonly FaultEntry[]} */
const troubles = [
  {
    name: 'restart-replica',
    what: 'SIGTERM to a replica, waited for, started again',
    lane: 'troubles',
    weight: 2,
    lasting: [0.2, 2],
    takes: ['process'],
  },
  {
    name: 'stop-replica',
    what: 'SIGSTOP of a replica: it neither answers nor goes away',
    lane: 'troubles',
    weight: 1,
    lasting: [40, 40],
    takes: ['process'],
  },
  {
    name: 'add-replica',
    what: 'one replica more, which is stopped or killed again',
    lane: 'troubles',
    weight: 1,
    lasting: [8, 20],
    takes: ['extra'],
    draw: (random) => ({ ends: random.pick(['SIGTERM', 'SIGKILL']) }),
  },
  {
    name: 'remove-replica',
    what: 'a replica is stopped in order, and the others go on without it',
    lane: 'troubles',
    weight: 1,
    lasting: [5, 15],
    takes: ['process'],
  },
  {
    name: 'restart-postgres',
    what: 'a fast restart of the database',
    lane: 'troubles',
    weight: 2,
    lasting: [0.1, 2],
    takes: ['database'],
  },
  {
    name: 'stop-postgres',
    what: 'SIGSTOP of every process of PostgreSQL',
    lane: 'troubles',
    weight: 1,
    lasting: [4, 12],
    takes: ['database'],
  },
  {
    name: 'failover',
    what: 'a synchronous standby is built; the primary is killed, the standby promoted, the replicas sent there',
    lane: 'troubles',
    weight: 2,
    lasting: [5, 10],
    takes: ['database'],
  },
  {
    name: 'read-only',
    what: 'default_transaction_read_only, as a failover that went wrong leaves it',
    lane: 'troubles',
    weight: 1,
    lasting: [3, 8],
    takes: ['database'],
  },
  {
    name: 'connections-exhausted',
    what: 'somebody else takes every connection that PostgreSQL has',
    lane: 'troubles',
    weight: 1,
    lasting: [3, 8],
    takes: ['database'],
  },
  {
    name: 'disk-full',
    what: 'the disk of PostgreSQL, its log included, has no room left',
    lane: 'troubles',
    weight: 1,
    lasting: [3, 8],
    takes: ['database'],
    needs: 'tmpfs',
  },
  {
    name: 'spool-disk-full',
    what: 'the disk of the spools has no room left while the database is away',
    lane: 'troubles',
    weight: 1,
    lasting: [8, 14],
    takes: ['database', 'spools'],
    needs: 'spool-tmpfs',
  },
  {
    name: 'lock',
    what: 'a client holds SeenMessage locked for longer than anybody waits in peace',
    lane: 'troubles',
    weight: 1,
    lasting: [15, 15],
    takes: ['database'],
  },
  {
    name: 'clock-step',
    what: 'the clock of a replica jumps, and back later',
    lane: 'troubles',
    weight: 2,
    lasting: [5, 15],
    takes: ['clock'],
    needs: 'faketime',
    draw: (random) => ({ seconds: random.pick([-1, 1]) * random.whole(1, 7_200) }),
  },
  ...WIRES.flatMap((wire) => wireFaults(wire)),
];

/**
 * @param {'amqp' | 'postgres'} wire
 * @returns {FaultEntry[]}
 */
function wireFaults(wire) {
  const to = wire === 'amqp' ? 'the platform' : 'PostgreSQL';
  /** @type {Pick<FaultEntry, 'lane' | 'weight' | 'takes'>} */
  const common = { lane: 'troubles', weight: 1, takes: [wire] };
  return [
    {
      ...common,
      name: `${wire}-cut`,
      what: `the connections of a replica to ${to} are cut, by a reset or in order, and refused for a while`,
      lasting: [0, 4],
      draw: (random) => ({ how: random.pick(['reset', 'end']) }),
    },
    {
      ...common,
      name: `${wire}-half-open`,
      what: `what a replica and ${to} say to each other is swallowed, in one direction or both; afterwards reset, or not`,
      lasting: [4, 15],
      draw: (random) => ({ swallow: random.pick(['up', 'down', 'both']), after: random.pick(['reset', 'silence']) }),
    },
    {
      ...common,
      name: `${wire}-slow`,
      what: `every byte between a replica and ${to} is late`,
      lasting: [4, 12],
      draw: (random) => ({ delayMs: random.whole(20, 400) }),
    },
    {
      ...common,
      name: `${wire}-narrow`,
      what: `few bytes a second go through between a replica and ${to}`,
      lasting: [4, 12],
      draw: (random) => ({ bytesPerSecond: random.whole(20_000, 200_000) }),
    },
  ];
}

/**
 * Every fault of the simulator's own (`src/simulator/faults`) but `sync-off`, which concerns Living apps: several replicas
 * need the Enterprise flavour.
 * @type {readonly FaultEntry[]}
 */
const platform = [
  simulated('clock-skew', [5, 15], () => ({ devices: 0.2, least: '1s', most: '2h' })),
  simulated('early', [5, 15], () => ({ share: 0.05, least: '1m', most: '24h' })),
  simulated('old-values', [5, 15], (random) => ({ share: 0.05, after: random.whole(10, 500) })),
  // Without generateTime a custom message has no time but that of its receipt, which no referee can know.
  simulated('oddities', [5, 15], () => ({ share: 0.2, kinds: { allBut: ['no-generate-time'] } })),
  simulated('unknown-fields', [5, 15], () => ({ share: 0.2 })),
  simulated('unknown-topics', [4, 10], () => ({ share: 0.02 })),
  simulated('poison', [4, 10], () => ({ share: 0.01 })),
  simulated('late', [5, 20], () => ({ share: 0.1, least: '1s', most: '15s' })),
  simulated('shuffle', [5, 15], (random) => ({ window: random.whole(10, 1_000) })),
  simulated('duplicates', [5, 15], (random) => ({
    share: 0.1,
    copies: random.whole(1, 3),
    within: random.whole(0, 2_000),
    id: random.pick(['same', 'other']),
  })),
  simulated('disconnects', [3, 8], () => ({ least: 1_000, most: 4_000 })),
  simulated('drop', [0, 0]),
  simulated('cut', [0, 0], (random) => ({ bytes: random.whole(0, 100_000) })),
  simulated('half-open', [0, 0], (random) => ({ lasting: `${random.whole(4, 15)}s` })),
  simulated('maintenance', [0, 0]),
  simulated('detach', [0, 0]),
  simulated('silent-link', [0, 0]),
  simulated('lost-credit', [0, 0]),
  simulated('slow-tls', [4, 8], () => ({ delay: '3s' })),
  simulated('refused-logins', [2, 6]),
  simulated('rotated-credentials', [2, 6]),
  simulated('backlog', [3, 3], (random) => ({
    messages: random.whole(1_000, 4_000),
    devices: 100,
    over: '12h',
    offline: random.whole(0, 1),
  })),
  simulated('flapping', [5, 15], () => ({ times: 3, every: '2s' })),
];

/**
 * @param {string} name
 * @param {readonly [number, number]} lasting
 * @param {(random: SeededRandom) => Record<string, unknown>} [draw]
 * @returns {FaultEntry}
 */
function simulated(name, lasting, draw) {
  return {
    name: `platform-${name}`,
    what: `the simulator's ${name}`,
    lane: 'platform',
    weight: 1,
    lasting,
    takes: [`simulator/${name}`],
    ...(draw === undefined ? {} : { draw }),
  };
}

export const FAULTS = Object.freeze([...kills, ...troubles, ...platform]);
export const FAULT_NAMES = FAULTS.map(({ name }) => name);
