// @ts-check
// Who is let in, what a connection may do, and what ends it: each rule met by Qpid Proton, and by plain sockets where a rule
// is about bytes.
import { createHmac } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../../scripts/checkout.mjs';
import { check, checkEqual, heading, sum } from '../../interop/checks.mjs';
import { until } from '../../interop/processes.mjs';
import { ProtonClient, PYTHON } from './proton.mjs';

/** @typedef {import('../../../src/simulator/simulator.js').Simulator} Simulator */
/** @type {typeof import('../../../src/simulator/simulator.js')} */
const { startSimulator } = await import(pathToFileURL(path.join(root, 'dist', 'simulator', 'simulator.js')).href);

const SIGNED_AT = '1700000000000';
const accounts = {
  apps: [
    { appKey: '90001234', appSecret: 'demoAppSecret-7f3a' },
    { appKey: '90005678', appSecret: 'otherAppSecret-2b9e' },
  ],
  instances: [
    {
      instanceId: 'iot-demo0001',
      accessKeys: [
        { accessKeyId: 'demoAccessKeyId01', accessKeySecret: 'demoAccessKeySecret-9c1d' },
        {
          accessKeyId: 'STS.demoKeyId02',
          accessKeySecret: 'demoStsSecret-42',
          securityToken: 'CAISdemo+token/01==',
        },
        {
          accessKeyId: 'STS.expired',
          accessKeySecret: 'demoStsSecret-42',
          securityToken: 'CAISold==',
          expiresAt: 1_600_000_000_000,
        },
        { accessKeyId: 'noPermission01', accessKeySecret: 'noPermissionSecret-1', mayConsume: false },
      ],
      consumerGroupIds: ['demoGroup000100', 'demoGroup000300'],
      subscriptions: [
        {
          product: 'h9DemoMete4',
          messages: /** @type {const} */ (['DeviceDataFlag']),
          groups: ['DEFAULT_GROUP', 'demoGroup000100'],
        },
      ],
    },
    {
      instanceId: 'iot-other02',
      accessKeys: [{ accessKeyId: 'otherKeyId', accessKeySecret: 'otherKeySecret' }],
      consumerGroupIds: ['otherGroup000200'],
    },
    {
      instanceId: '',
      accessKeys: [{ accessKeyId: 'legacyKeyId', accessKeySecret: 'legacyKeySecret' }],
      consumerGroupIds: [],
    },
  ],
  freshnessWindowMs: /** @type {number | null} */ (null),
};

/** @param {Record<string, string>} params @param {string} clientId */
const userName = (params, clientId = 'proton-1') =>
  `${clientId}|${Object.entries(params)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')}|`;
/** @param {string} digest @param {string} secret @param {string} text @param {'hex' | 'base64'} encoding */
const hmac = (digest, secret, text, encoding) => createHmac(digest, secret).update(text).digest(encoding);

const LIVING = {
  authMode: 'appkey',
  signMethod: 'SHA256',
  random: SIGNED_AT,
  appKey: '90001234',
  groupId: '90001234',
};
const AKSIGN = {
  authMode: 'aksign',
  signMethod: 'hmacsha1',
  timestamp: SIGNED_AT,
  authId: 'demoAccessKeyId01',
  iotInstanceId: 'iot-demo0001',
  consumerGroupId: 'DEFAULT_GROUP',
};
const STSTOKEN = {
  ...AKSIGN,
  authMode: 'ststoken',
  securityToken: 'CAISdemo+token/01==',
  authId: 'STS.demoKeyId02',
  consumerGroupId: 'demoGroup000100',
};

/** @param {Partial<typeof LIVING>} change @param {string} secret */
const living = (change = {}, secret = 'demoAppSecret-7f3a', clientId = 'proton-1') => {
  const params = { ...LIVING, ...change };
  return { username: userName(params, clientId), password: hmac('sha256', secret, `random=${params.random}`, 'hex') };
};
/** @param {Partial<typeof AKSIGN>} change @param {string} secret */
const aksign = (change = {}, secret = 'demoAccessKeySecret-9c1d', clientId = 'proton-1') => {
  const params = { ...AKSIGN, ...change };
  const text = `authId=${params.authId}&timestamp=${params.timestamp}`;
  return {
    username: userName(params, clientId),
    password: hmac(params.signMethod.replace('hmac', ''), secret, text, 'base64'),
  };
};
/** @param {Partial<typeof STSTOKEN>} change @param {string} secret */
const ststoken = (change = {}, secret = 'demoStsSecret-42') => {
  const params = { ...STSTOKEN, ...change };
  const text = `authId=${params.authId}&securityToken=${params.securityToken}&timestamp=${params.timestamp}`;
  return {
    username: userName(params),
    password: hmac(params.signMethod.replace('hmac', ''), secret, text, 'base64'),
  };
};

/** @type {string[]} */
const warnings = [];
const log = {
  info: () => {},
  warn: (/** @type {string} */ msg, /** @type {object} */ fields = {}) =>
    warnings.push(`${msg} ${JSON.stringify(fields)}`),
};

/**
 * @param {object} options
 * @param {(simulator: Simulator) => Promise<void>} run
 */
async function withSimulator(options, run) {
  const simulator = await startSimulator({ accounts, log, ...options });
  try {
    await run(simulator);
  } finally {
    await simulator.stop();
  }
}
/** @param {Simulator} simulator @param {Record<string, unknown>} options */
const proton = ({ host, plainPort }, options) =>
  new ProtonClient({ url: `amqp://${host}:${plainPort}`, idle: 60, ...living(), ...options });

const folder = mkdtempSync(path.join(tmpdir(), 'simulator-doors-'));

heading('Sign-in in every mode');
await withSimulator({ tlsPort: 0, dataDir: path.join(folder, 'tls') }, async (simulator) => {
  const cases = /** @type {[string, { username: string, password: string }][]} */ ([
    ['appkey', living()],
    ['aksign, hmacmd5', aksign({ signMethod: 'hmacmd5' })],
    ['aksign, hmacsha1', aksign()],
    ['aksign, hmacsha256', aksign({ signMethod: 'hmacsha256' })],
    ['aksign, a named group', aksign({ consumerGroupId: 'demoGroup000100' })],
    [
      'aksign, another instance',
      aksign(
        { authId: 'otherKeyId', iotInstanceId: 'iot-other02', consumerGroupId: 'otherGroup000200' },
        'otherKeySecret',
      ),
    ],
    [
      'aksign, the empty id of a legacy instance',
      aksign({ authId: 'legacyKeyId', iotInstanceId: '' }, 'legacyKeySecret'),
    ],
    ['ststoken, equals signs in the token', ststoken()],
    ['ststoken, hmacsha256', ststoken({ signMethod: 'hmacsha256' })],
    ['64 characters of clientId', living({}, undefined, 'c'.repeat(64))],
  ]);
  for (const [name, login] of cases) {
    const client = proton(simulator, login);
    const opened = await client.until('link-open');
    await client.close();
    check(name, opened !== null, JSON.stringify(client.happened));
  }
  const client = new ProtonClient({
    url: `amqps://localhost:${simulator.tlsPort}`,
    idle: 60,
    ca: simulator.caFile,
    ...living(),
  });
  check(
    'over TLS, the certificate verified',
    (await client.until('link-open')) !== null,
    JSON.stringify(client.happened),
  );
  await client.close();
  checkEqual('none was refused', simulator.logins.refused, 0);
});

heading('Refusals: SASL outcome 1 and the end, the reason in the log alone');
await withSimulator({ accounts: { ...accounts, freshnessWindowMs: 900_000 } }, async (simulator) => {
  const now = String(Date.now());
  /** @type {string[]} */
  const everything = [];
  const fresh = { timestamp: now };
  const hexOf = (/** @type {{ username: string, password: string }} */ login) => ({
    ...login,
    password: Buffer.from(login.password, 'base64').toString('hex'),
  });
  const cases = /** @type {[string, { username: string, password: string }, RegExp][]} */ ([
    ['wrong password', living({}, 'wrong'), /wrong password/],
    [
      'Base64 instead of hex',
      { ...living(), password: Buffer.from(living().password, 'hex').toString('base64') },
      /base64 where hex/,
    ],
    ['hex instead of Base64', hexOf(aksign(fresh)), /hex where base64/],
    ['unknown appKey', living({ appKey: '1', groupId: '1' }), /unknown appKey/],
    ['groupId of another app', living({ groupId: '90005678' }), /groupId must be the appKey/],
    ['unknown AccessKey', aksign({ ...fresh, authId: 'nobody' }), /unknown authId/],
    ['unknown group', aksign({ ...fresh, consumerGroupId: 'nobodys' }), /unknown consumer group/],
    [
      'group of another instance',
      aksign({ ...fresh, consumerGroupId: 'otherGroup000200' }),
      /belongs to another instance/,
    ],
    ['wrong instance', aksign({ ...fresh, iotInstanceId: 'iot-other02' }), /unknown authId/],
    ['unknown instance', aksign({ ...fresh, iotInstanceId: 'iot-nowhere' }), /unknown instance/],
    [
      'missing permission',
      aksign({ ...fresh, authId: 'noPermission01' }, 'noPermissionSecret-1'),
      /no permission iot:sub/,
    ],
    [
      'expired temporary credential',
      ststoken({ ...fresh, authId: 'STS.expired', securityToken: 'CAISold==' }),
      /has expired/,
    ],
    ['another security token', ststoken({ ...fresh, securityToken: 'CAISother==' }), /wrong securityToken/],
    ['stale timestamp', aksign(), /timestamp is stale/],
    [
      'unknown signMethod',
      { ...aksign(fresh), username: aksign(fresh).username.replace('hmacsha1', 'crc32') },
      /signMethod/,
    ],
    ['unknown authMode', { ...living(), username: living().username.replace('appkey', 'guest') }, /unknown authMode/],
    ['no closing bar', { ...living(), username: living().username.slice(0, -1) }, /malformed/],
    ['a parameter twice', { ...living(), username: living().username.replace(/\|$/, ',appKey=1|') }, /twice/],
    ['65 characters of clientId', living({}, undefined, 'c'.repeat(65)), /clientId/],
    ['no userName at all', { username: 'guest', password: 'guest' }, /malformed/],
  ]);
  for (const [name, login, reason] of cases) {
    warnings.length = 0;
    const client = proton(simulator, login);
    const closed = await client.until((all) => all.find(({ event }) => event === 'closed' || event === 'link-open'));
    await client.kill();
    const told = warnings.join('\n');
    check(
      name,
      closed?.['sasl'] === 'auth' &&
        !client.happened.some(({ event }) => event === 'connection-open') &&
        reason.test(told),
      `${JSON.stringify(client.happened)}\n${told}`,
    );
    everything.push(told);
  }
  const secrets = [
    'CAISold',
    'CAISother',
    ...cases.flatMap(([, { password }]) => (password === 'guest' ? [] : [password])),
  ];
  check(
    'neither password nor token is in the log',
    !secrets.some((secret) => everything.join().includes(secret)),
    everything.join('\n'),
  );
  const anonymous = proton(simulator, { username: undefined, password: undefined, mechanisms: 'ANONYMOUS' });
  const closed = await anonymous.until('closed');
  check('ANONYMOUS is not offered', closed !== null && closed['sasl'] !== 'ok', JSON.stringify(anonymous.happened));
  checkEqual('nobody was let in', simulator.logins.admitted, 0);
});

heading('Links');
await withSimulator({}, async (simulator) => {
  const two = proton(simulator, { receivers: 2 });
  const second = await two.until('link-close');
  checkEqual(
    'a second receiver is detached',
    [second?.['link'], second?.['condition']],
    ['receiver-1', 'amqp:not-allowed'],
  );
  simulator.publish({ topic: '/a1/d/user/x', body: 'x', tenant: 'living/90001234' });
  checkEqual('  and the first goes on', (await two.messages(1)).length, 1);
  await two.close();

  const sender = proton(simulator, { senders: 1 });
  const refused = await sender.until('link-close');
  checkEqual('a sender is detached', [refused?.['link'], refused?.['condition']], ['sender-0', 'amqp:not-allowed']);
  await sender.close();

  const noAddress = proton(simulator, { source: null });
  check(
    'a source without an address is taken',
    (await noAddress.until('link-open')) !== null,
    JSON.stringify(noAddress.happened),
  );
  await noAddress.close();

  const detached = proton(simulator, {});
  await detached.until('link-open');
  simulator.detachLinks('amqp:link:detach-forced');
  checkEqual(
    'a detached link leaves the connection open',
    (await detached.until('link-close'))?.['condition'],
    'amqp:link:detach-forced',
  );
  checkEqual(
    '  which is still there',
    [simulator.connections, detached.happened.some(({ event }) => event === 'closed')],
    [1, false],
  );
  await detached.close();
});
await withSimulator({ setupTimeoutMs: 300 }, async (simulator) => {
  const idle = proton(simulator, { receivers: 0 });
  checkEqual(
    'without a receiver in time the connection is closed',
    (await idle.until('connection-close'))?.['condition'],
    'amqp:connection:forced',
  );
  await idle.until('closed');
  const silent = await talk(simulator, []);
  checkEqual('without a sign-in in time the socket is closed, without a word', silent.length, 0);
});

heading('The open frame and idleness');
await withSimulator({}, async (simulator) => {
  for (const [idle, expected] of /** @type {[number | undefined, string | undefined][]} */ ([
    [29.999, 'amqp:invalid-field'],
    [30, undefined],
    [300, undefined],
    [300.002, 'amqp:invalid-field'],
    [undefined, 'amqp:invalid-field'],
  ])) {
    const client = proton(simulator, { idle });
    const ended = await client.until(
      (all) =>
        all.find(({ event }) => event === 'connection-close' || event === 'message') ??
        (expected === undefined ? all.find(({ event }) => event === 'link-open') : undefined),
    );
    checkEqual(
      `an idle-time-out of ${idle ?? 'nothing'}${idle === undefined ? '' : ' s'}`,
      ended?.['condition'],
      expected,
    );
    await client.close();
  }
});
await withSimulator({ minIdleTimeoutMs: 10 }, async (simulator) => {
  const stopped = proton(simulator, { idle: 0.4 });
  await stopped.until('link-open');
  const alive = proton(simulator, { idle: 0.4 });
  await alive.until('link-open');
  checkEqual('both are there', simulator.connections, 2);
  stopped.child.kill('SIGSTOP');
  await until('the frozen client to be given up', async () => simulator.connections === 1);
  check(
    'a frozen client is closed, one that sends empty frames is not',
    !alive.happened.some(({ event }) => event === 'closed'),
  );
  stopped.child.kill('SIGKILL');
  await alive.close();
});

heading('Limits on clients: SASL outcome 4 and the end');
await withSimulator(
  { connectionLimits: { connections: 128, clientsOfGroup: 64, connectsPerMinute: 100 } },
  async (simulator) => {
    const clients = await crowd(simulator, 63, aksign());
    const last = proton(simulator, aksign());
    await last.until('link-open');
    const tooMany = proton(simulator, aksign());
    checkEqual('the 65th client of a group', (await tooMany.until('closed'))?.['sasl'], 'temp');
    check('  for the reason given', /has 64 clients already/.test(warnings.at(-1) ?? ''), warnings.at(-1));
    clients[0]?.end();
    await until('one to leave', async () => simulator.connections === 63);
    const again = proton(simulator, aksign());
    check('  is let in once one has left', (await again.until('link-open')) !== null);
    const others = await crowd(simulator, 64, aksign({ consumerGroupId: 'demoGroup000100' }));
    const over = proton(simulator, aksign({ consumerGroupId: 'demoGroup000300' }));
    checkEqual(
      'the 129th connection of a tenant, in a group of its own',
      (await over.until('closed'))?.['sasl'],
      'temp',
    );
    check('  for the reason given', /has 128 connections already/.test(warnings.at(-1) ?? ''), warnings.at(-1));
    const elsewhere = proton(simulator, living());
    check('  is no matter to another tenant', (await elsewhere.until('link-open')) !== null);
    await Promise.all([last.close(), again.close(), elsewhere.close()]);
    for (const socket of [...clients, ...others]) socket.end();
    await until('all to leave', async () => simulator.connections === 0);
    for (let i = 0, turnedAway = false; i < 100 && !turnedAway; i++) {
      const [socket] = await crowd(simulator, 1, aksign()).catch(() => []);
      turnedAway = socket === undefined;
      socket?.end();
    }
    const hasty = proton(simulator, aksign());
    checkEqual('the 101st sign-in to a group within a minute', (await hasty.until('closed'))?.['sasl'], 'temp');
    check('  for the reason given', /more than 100 sign-ins/.test(warnings.at(-1) ?? ''), warnings.at(-1));
    const calm = proton(simulator, living());
    check('  is no matter to another group', (await calm.until('link-open')) !== null);
    await calm.close();
  },
);

heading('Data sync of a Living app toggled');
await withSimulator({}, async (simulator) => {
  const before = proton(simulator, living({}, undefined, 'before'));
  await before.until('link-open');
  simulator.setSync('90001234', false);
  simulator.publish({ topic: '/a1/d/user/x', body: 'while off', tenant: 'living/90001234' });
  simulator.setSync('90001234', true);
  simulator.publish({ topic: '/a1/d/user/x', body: 'on again', tenant: 'living/90001234' });
  const after = proton(simulator, living({}, undefined, 'after'));
  checkEqual(
    'who reconnects receives what came since',
    (await after.messages(1)).map(({ body }) => body),
    ['on again'],
  );
  checkEqual(
    'who stayed connected receives nothing',
    [before.happened.filter(({ event }) => event === 'message'), simulator.connections],
    [[], 2],
  );
  await Promise.all([before.close(), after.close()]);
});

heading('Bytes that are no AMQP 1.0, and what faults do to a socket');
await withSimulator({ tlsPort: 0 }, async (simulator) => {
  const header = Buffer.from([0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0]);
  const told = await talk(simulator, [Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1])]);
  checkEqual('AMQP 0-9-1 is told the protocol, and closed', told.subarray(0, 8), header);
  const plain = await talk({ ...here(simulator), plainPort: simulator.tlsPort ?? 0 }, [header]);
  check('plain AMQP on the TLS port is closed', !plain.includes('AMQP'), plain.toString('hex'));

  const maintenance = proton(simulator, {});
  await maintenance.until('link-open');
  simulator.closeConnections();
  checkEqual(
    'maintenance closes with a condition',
    (await maintenance.until('connection-close'))?.['condition'],
    'amqp:connection:forced',
  );
  await maintenance.until('closed');

  const cut = proton(simulator, {});
  await cut.until('link-open');
  simulator.cutAfter(100);
  for (let i = 0; i < 5; i++)
    simulator.publish({ topic: '/a1/d/user/x', body: 'x'.repeat(200), tenant: 'living/90001234' });
  await cut.until('closed');
  check(
    'a cut connection ends without a close',
    !cut.happened.some(({ event }) => event === 'connection-close' || event === 'message'),
    JSON.stringify(cut.happened),
  );

  const waiting = resetProbe(here(simulator));
  await until('the socket to be there', async () => simulator.connections === 1);
  simulator.dropConnections();
  checkEqual('a dropped connection is reset, not ended', await waiting, 'reset');
});

rmSync(folder, { recursive: true });
process.exit(sum());

/** @param {Simulator} simulator */
function here({ host, plainPort }) {
  return { host, plainPort };
}

/**
 * What a bare socket gets to read until the simulator closes it.
 * @param {{ readonly host: string, readonly plainPort: number | null }} simulator
 * @param {readonly Buffer[]} bytes
 * @returns {Promise<Buffer>}
 */
function talk({ host, plainPort }, bytes) {
  return new Promise((resolve) => {
    const socket = connect(plainPort ?? 0, host);
    /** @type {Buffer[]} */
    const read = [];
    socket.on('data', (data) => read.push(data));
    socket.on('error', () => {});
    for (const chunk of bytes) socket.write(chunk);
    socket.once('close', () => resolve(Buffer.concat(read)));
  });
}

/**
 * Signs clients in with nothing but the bytes of it: a hundred Protons would take a hundred processes.
 * @param {Simulator} simulator
 * @param {number} count
 * @param {{ username: string, password: string }} login
 */
async function crowd(simulator, count, { username, password }) {
  const response = Buffer.from(`\0${username}\0${password}`);
  const mechanism = Buffer.from('PLAIN');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(response.length);
  const items = Buffer.concat([
    Buffer.from([0xa3, mechanism.length]),
    mechanism,
    Buffer.from([0xb0]),
    length,
    response,
  ]);
  const list = Buffer.alloc(8);
  list.writeUInt32BE(items.length + 4, 0);
  list.writeUInt32BE(2, 4);
  const body = Buffer.concat([Buffer.from([0x00, 0x53, 0x41, 0xd0]), list, items]);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length, 0);
  head.writeUInt8(2, 4);
  head.writeUInt8(1, 5);
  const hello = Buffer.concat([Buffer.from([0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0]), head, body]);
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(simulator.plainPort ?? 0, simulator.host);
      socket.on('error', () => {});
      let read = Buffer.alloc(0);
      const outcome = new Promise((resolve, reject) => {
        socket.on('data', (data) => {
          read = Buffer.concat([read, data]);
          const code = /005344(?:d00{7}60{7}1|c00301)(?:500(\d)|43)$/.exec(read.toString('hex'));
          if (code) (code[1] ?? '0') === '0' ? resolve(undefined) : reject(new Error(`SASL outcome ${code[1]}`));
        });
        socket.once('close', () => reject(new Error('closed')));
      });
      socket.write(hello);
      await outcome;
      return socket;
    }),
  );
}

/**
 * How a connection ends for a program that is no JavaScript: Node hides a reset behind an end.
 * @param {{ readonly host: string, readonly plainPort: number | null }} simulator
 * @returns {Promise<string>}
 */
function resetProbe({ host, plainPort }) {
  const script = [
    'import socket',
    `k = socket.create_connection(("${host}", ${plainPort}))`,
    'try:',
    '    while k.recv(1000): pass',
    '    print("end")',
    'except ConnectionResetError: print("reset")',
  ].join('\n');
  return new Promise((resolve) => {
    const child = spawn(PYTHON, ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (data) => (said += data));
    child.once('close', () => resolve(said.trim()));
  });
}
