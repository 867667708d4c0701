#!/usr/bin/env node
// @ts-check
// What people see: `npm start` of this checkout, then the API documentation, the page of the simulator and Prisma Studio in a
// real browser.
//
//   apt-get install chromium && node test/browser/run.mjs [folder for pictures]
import '../../scripts/setup/check-node.mjs';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../../scripts/checkout.mjs';
import { setUp } from '../../scripts/setup/set-up.mjs';
import { check, checkEqual, heading, sum } from '../interop/checks.mjs';
import { until } from '../interop/processes.mjs';
import { Page } from './chromium.mjs';
import { lookAtSimulator } from './simulator-page.mjs';
import { followTheStream } from './stream.mjs';

await setUp(root, { build: true });
const { default: pg } = await import('pg');
const { freePort } = await import('../../scripts/postgres/free-port.mjs');
const { readAddress } = await import('../../scripts/postgres/address.mjs');

const pictures = process.argv[2];
const profile = mkdtempSync(path.join(tmpdir(), 'living-mirror-browser-'));
/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
let code = 1;
try {
  heading('npm start');
  const httpPort = await freePort(0);
  const controlPort = await freePort(0);
  const started = start('scripts/start.mjs', [], {
    HTTP_PORT: String(httpPort),
    SIMULATOR_PORT: '0',
    SIMULATOR_TLS_PORT: '0',
    SIMULATOR_MQTT_PORT: 'off',
    SIMULATOR_MQTT_TLS_PORT: 'off',
    SIMULATOR_CONTROL_PORT: String(controlPort),
    DATABASE_URL: '',
    AMQP_URL: '',
    HTTP_TOKEN: '',
  });
  await until(
    'npm start to say that it runs',
    async () => started.alive() && started.said().includes('living-mirror runs'),
    180_000,
  );
  const url = `http://127.0.0.1:${httpPort}`;
  await until('live devices', async () => {
    const { items } = /** @type {{ items: { online: boolean | null }[] }} */ (
      await (await fetch(`${url}/v1/devices`)).json()
    );
    return items.some(({ online }) => online === true);
  });
  check('it runs, and /v1/devices has devices that are online', true);

  heading('The API documentation in Chromium');
  const page = await new Page(profile).open();
  await page.goTo(`${url}/docs`);
  const routes = [
    '/v1/devices',
    '/v1/devices/{device}/readings',
    '/v1/users/{identityId}/devices',
    '/v1/set-aside/{id}/replay',
    '/v1/ingest',
  ];
  await showsAll(page, 'every kind of route', routes);
  await picture(page, 'docs');
  checkEqual('without a complaint of the page', page.problems, []);

  heading('The stream in Chromium');
  await followTheStream(page, httpPort);
  page.problems.length = 0; // it complained of the cuts

  heading('The page of the simulator in Chromium');
  await lookAtSimulator(page, `http://127.0.0.1:${controlPort}/`, (name) => picture(page, name));

  heading('Prisma Studio in Chromium');
  const studioPort = await freePort(0);
  const studio = start(
    'node_modules/prisma/build/index.js',
    ['studio', '--port', String(studioPort), '--browser', 'none'],
    {
      CHECKPOINT_DISABLE: '1',
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
    },
  );
  await until('Prisma Studio', async () => studio.alive() && studio.said().includes('Studio is running'), 120_000);
  await browse(page, `http://localhost:${studioPort}`);
  await page.close();

  heading('Ctrl-C');
  studio.child.kill('SIGINT');
  started.child.kill('SIGINT');
  checkEqual('ends npm start with', await started.exited, 0);
  code = sum();
} catch (error) {
  console.error(`\nThe run broke off: ${error instanceof Error ? error.stack : String(error)}`);
} finally {
  for (const child of running) child.kill('SIGINT');
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(code);

/**
 * Rows of every table; of a partitioned one, of its view and of its newest partition.
 * @param {Page} page
 * @param {string} studio
 */
async function browse(page, studio) {
  const address = readAddress(path.join(root, 'data', 'postgres'));
  if (address === undefined) throw new Error('data/postgres.json is not there');
  const database = new pg.Client(address.url);
  await database.connect();
  const { rows: tables } = await database.query(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'v' AS view FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'v') AND (n.nspname = 'public' OR c.relname = 'PropertyReading_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM'))
     ORDER BY 1 DESC, 2`,
  );
  checkEqual(
    'there is a view for each partitioned table',
    tables.filter(({ view }) => view).map(({ name }) => name),
    ['ChangeLogView', 'EventLogView', 'PropertyReadingView', 'ReadingRollupView', 'SeenMessageView'],
  );
  for (const { schema, name, view } of tables) {
    const { rows } = await database.query(
      `SELECT count(*)::int AS count FROM (SELECT FROM "${schema}"."${name}" LIMIT 25) t`,
    );
    const wanted = rows[0].count;
    await page.goTo(`${studio}/#table=${name}&schema=${schema}&view=table`);
    await page.evaluate('location.reload()').catch(() => {});
    const shown = await until(`${wanted} rows of ${name}`, async () => {
      const found = await page
        .evaluate(
          `[document.querySelector('[href*="table=${name}&"]') !== null || ${schema !== 'public'}, [...document.querySelectorAll('table tbody tr')].filter((row) => row.innerText.trim() !== '' && !/No results|No data/i.test(row.innerText)).length]`,
        )
        .catch(() => [false, -1]);
      return found[0] && found[1] >= wanted ? found : null;
    }).catch(() => null);
    check(`${schema}.${name}: ${wanted} rows`, shown !== null, await page.text());
    if (name === 'Device' || view) await picture(page, name);
  }
  await database.end();
}

/**
 * @param {Page} page
 * @param {string} what
 * @param {readonly string[]} words
 */
async function showsAll(page, what, words) {
  const missing = async () => {
    const text = (await page.text().catch(() => '')).replaceAll('\u200b', '');
    return words.filter((word) => !text.includes(word));
  };
  await until(what, async () => (await missing()).length === 0).catch(() => {});
  checkEqual(`it shows ${what}`, await missing(), []);
}

/**
 * @param {Page} page
 * @param {string} name
 */
async function picture(page, name) {
  if (pictures !== undefined) writeFileSync(path.join(pictures, `${name}.png`), await page.picture());
}

/**
 * @param {string} script
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} environment
 */
function start(script, args, environment) {
  const child = spawn(process.execPath, [path.join(root, script), ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  running.add(child);
  const exited = new Promise((resolve) => child.once('exit', (status, signal) => resolve(status ?? signal)));
  void exited.then(() => running.delete(child));
  return {
    child,
    exited,
    said: () => output,
    alive() {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${script} ended:\n${output}`);
      return true;
    },
  };
}
