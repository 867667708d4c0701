// @ts-check
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/checkout.mjs';
import { startPostgres } from '../../scripts/postgres/embedded-postgres.mjs';
import { freePort } from '../../scripts/postgres/free-port.mjs';
import { applyMigrations, readMigrations } from '../../scripts/postgres/migrations.mjs';
import { check, checkEqual, heading, sum } from '../interop/checks.mjs';
import { run, until } from '../interop/processes.mjs';
import { Service } from '../interop/service.mjs';
import { withRealValues } from './real-values.mjs';

/** What the fleet has told before the first request. */
const READINGS_BEFORE = 3_000;
/** Rounds of the fuzzer, each with another seed, until there were requests enough. */
const ROUNDS = 12;

/**
 * @param {string} folder everything that is made goes here
 * @param {{ requests: number, seed: number }} wanted
 * @returns {Promise<number>} the exit code
 */
export async function fuzzApi(folder, { requests, seed }) {
  heading('A service, and a fleet to ask about');
  const fuzzer = await installFuzzer(folder);
  const postgres = await startPostgres({
    root,
    directory: path.join(folder, 'postgres'),
    logFile: path.join(folder, 'postgres.log'),
    port: 0,
  });
  await applyMigrations(postgres.url, readMigrations(root));
  const { startSimulator } = await import(pathToFileURL(path.join(root, 'dist', 'simulator', 'simulator.js')).href);
  const { DEMO_LIVING } = await import(pathToFileURL(path.join(root, 'dist', 'simulator', 'demo-accounts.js')).href);
  const simulator = await startSimulator({
    seed: String(seed),
    tlsPort: 0,
    dataDir: folder,
    limits: false,
    fleet: { seed: String(seed), devices: 40, flavour: 'both', rate: 300 },
  });
  const httpPort = await freePort(0);
  const service = new Service(
    {
      DATABASE_URL: postgres.url,
      AMQP_URL: `amqp://127.0.0.1:${simulator.plainPort}`,
      AMQP_AUTH_MODE: 'appkey',
      AMQP_APP_KEY: DEMO_LIVING.appKey,
      AMQP_APP_SECRET: DEMO_LIVING.appSecret,
    },
    httpPort,
    path.join(folder, 'service.log'),
  );
  try {
    await service.logged('Connected to the platform');
    const url = `http://127.0.0.1:${httpPort}`;
    await until('the fleet to have told something', async () => {
      const { stored } = (await service.get('/v1/ingest')).totals;
      return stored >= READINGS_BEFORE;
    });
    check('the service has messages of the fleet', true);

    heading(`${requests.toLocaleString('en')} requests from its own description`);
    const description = path.join(folder, 'openapi.json');
    writeFileSync(description, JSON.stringify(await withRealValues(service)));
    let counted = await answers(url);
    for (let round = 0; round < ROUNDS && counted.all < requests; round++) {
      const { code, said } = await fuzz(fuzzer, folder, description, url, seed + round);
      if (code !== 0) console.log(said.slice(-20_000));
      checkEqual(`round ${round + 1}: nothing that the description does not say`, code, 0);
      counted = await answers(url);
      console.log(`          ${counted.all.toLocaleString('en')} requests so far`);
      if (code !== 0) break;
    }
    check(`there were ${requests.toLocaleString('en')} requests`, counted.all >= requests, `only ${counted.all}`);
    checkEqual('none of them failed on our side', counted.failures, []);
    checkEqual(
      'nothing unexpected was logged',
      service.lines.filter(({ level }) => level === 'error' || level === 50).map(({ msg }) => msg),
      [],
    );
    checkEqual('the service ends as it should', await service.end('SIGTERM'), 0);
  } finally {
    await service.end('SIGKILL');
    await simulator.stop();
    await postgres.stop();
  }
  return sum();
}

/**
 * Schemathesis, at the version of requirements.txt.
 * @param {string} folder
 */
async function installFuzzer(folder) {
  const home = path.join(folder, 'python');
  await run('python3', ['-m', 'venv', home]);
  const requirements = path.join(root, 'test', 'api-fuzz', 'requirements.txt');
  await run(path.join(home, 'bin', 'pip'), ['install', '-q', '--disable-pip-version-check', '-r', requirements]);
  return path.join(home, 'bin', 'schemathesis');
}

/**
 * One round of requests to every route.
 * @param {string} fuzzer
 * @param {string} folder
 * @param {string} description
 * @param {string} url
 * @param {number} seed
 * @returns {Promise<{ code: number | null, said: string }>}
 */
function fuzz(fuzzer, folder, description, url, seed) {
  const args = [
    'run',
    description,
    ...['--url', url],
    ...['--phases', 'examples,coverage,fuzzing'],
    // What it refuses although the description would have allowed it is judged by our own tests: not every rule fits a schema.
    ...['--checks', 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance'],
    ...['--max-examples', '200'],
    ...['--workers', '1'], // Python's parser of itself, which the fuzzer uses, fails in threads (3.11)
    ...['--seed', String(seed)],
    ...['--exclude-path', '/v1/stream'], // it answers until the client goes away
    ...['--suppress-health-check', 'all'],
    ...['--warnings', 'off'],
    ...['--request-timeout', '30'],
    '--continue-on-failure',
    '--no-color',
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(fuzzer, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => (said += text));
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said }));
  });
}

/**
 * What the service itself counted.
 * @param {string} url
 */
async function answers(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  let all = 0;
  /** @type {string[]} */
  const failures = [];
  for (const [, labels = '', count] of text.matchAll(/^living_mirror_http_request_seconds_count\{(.*)\} (\d+)$/gm)) {
    if (/route="\/(metrics|health)/.test(labels)) continue;
    all += Number(count);
    if (/status="5/.test(labels)) failures.push(`${count} times ${labels}`);
  }
  return { all, failures };
}
