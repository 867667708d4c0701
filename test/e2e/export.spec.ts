import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { root } from '../../scripts/checkout.mjs';
import { query } from '../../scripts/postgres/connection.mjs';
import { startApi, type TestApi } from '../support/api.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const ROWS = 3000;
const TOKEN = 'demo-token-1';
const FILL = [
  `INSERT INTO "Device" ("productKey", "deviceName", "firstSeen", "lastSeen")
   SELECT 'a1', 'meter-' || n, '2026-10-01Z', '2026-11-01Z' FROM generate_series(1, 10) n`,
  `INSERT INTO "DeviceProperty" ("deviceId", "identifier", "at", "number") SELECT "id", 'Total', '2026-10-30Z', 1 FROM "Device"`,
  `INSERT INTO "PropertyReading" ("at", "seriesId", "number")
   SELECT TIMESTAMPTZ '2026-10-01Z' + n * INTERVAL '1 second', p."id", n FROM "DeviceProperty" p, generate_series(1, ${ROWS / 10}) n`,
];

/** The command as a process, the same that `npx living-mirror` runs. */
interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stderr(): string;
  stdout(): string;
}

describe('living-mirror export', () => {
  let api: TestApi;
  let proxy: TcpProxy;
  let folder: string;
  let out: string;
  const whole: Record<string, string> = {};

  beforeAll(async () => {
    api = await startApi({ settings: { HTTP_TOKEN: TOKEN } });
    for (const statement of FILL) await query(api.databaseUrl, statement);
    for (const type of ['text/csv', 'application/x-ndjson']) {
      whole[type] = (await api.get('/v1/fleet/readings', { accept: type, authorization: `Bearer ${TOKEN}` })).text;
    }
    proxy = await startTcpProxy(Number(new URL(api.url).port));
  });
  afterAll(async () => {
    await proxy.stop();
    await api.close();
  });
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'export-'));
    out = path.join(folder, 'readings.csv');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const run = (args: readonly string[], env: Record<string, string> = {}): Command => {
    const child = spawn(process.execPath, [path.join(root, 'dist', 'export', 'main.js'), ...args], {
      env: { LIVING_MIRROR_URL: `http://127.0.0.1:${proxy.port}`, LIVING_MIRROR_TOKEN: TOKEN, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => (stdout += String(text)));
    child.stderr.on('data', (text) => (stderr += String(text)));
    const ended = once(child, 'close').then(() => child.exitCode);
    return { child, ended, stderr: () => stderr, stdout: () => stdout };
  };
  const intoFile = (...more: string[]): string[] => ['export', 'readings', '--out', out, ...more];
  const progress = (): { rows: number; bytes: number } =>
    JSON.parse(readFileSync(`${out}.part.json`, 'utf8')) as { rows: number; bytes: number };
  /** Waits until some pages, and not all, are in the file. */
  const onItsWay = (least = 1) =>
    until(() => {
      const { rows } = progress();
      if (rows < least) throw new Error(`only ${rows} rows`);
    }, 10_000);

  it.each([
    ['CSV', [], 'text/csv', (bytes: Buffer) => String(bytes)],
    ['NDJSON', ['--format', 'ndjson'], 'application/x-ndjson', (bytes: Buffer) => String(bytes)],
    ['CSV compressed', ['--gzip', '--rows', '100'], 'text/csv', (bytes: Buffer) => String(gunzipSync(bytes))],
  ])('writes a whole list as %s', async (_, more, type, unpacked) => {
    const command = run(intoFile(...more));
    expect([await command.ended, command.stderr()]).toEqual([0, expect.stringContaining('3,000 rows')]);
    expect(unpacked(readFileSync(out))).toBe(whole[type]);
    expect([existsSync(`${out}.part`), existsSync(`${out}.part.json`)]).toEqual([false, false]);
  });

  it('writes to its standard output without a file', async () => {
    const command = run(['export', 'readings', '--rows', '700', '--quiet']);
    expect(await command.ended).toBe(0);
    expect([command.stdout(), command.stderr()]).toEqual([whole['text/csv'], '']);
  });

  it('passes filters on', async () => {
    const command = run(['export', 'device-readings', 'device=a1:meter-3', 'order=asc', '--format', 'ndjson']);
    expect(await command.ended).toBe(0);
    expect(command.stdout().split('\n')).toHaveLength(ROWS / 10 + 1);
  });

  it('goes on after a kill in the middle of a write, with no row twice and none missing', async () => {
    for (const rows of [1, 300, 900]) {
      const command = run(intoFile('--rows', '10'));
      await onItsWay(rows);
      command.child.kill('SIGKILL');
      await command.ended;
      expect(existsSync(out)).toBe(false); // what is called so is complete
      // A write that was torn off behind what was counted.
      appendFileSync(`${out}.part`, 'a1:meter-1,Total,12');
    }
    const last = run(intoFile('--rows', '1000'));
    expect(await last.ended).toBe(0);
    expect(last.stderr()).toContain('Going on behind');
    expect(readFileSync(out, 'utf8')).toBe(whole['text/csv']);
  });

  it('ends with 130 when it is interrupted, and goes on', async () => {
    const command = run(intoFile('--rows', '10'));
    await onItsWay();
    command.child.kill('SIGINT');
    expect([await command.ended, command.stderr()]).toEqual([130, expect.stringContaining('goes on')]);
    expect(await run(intoFile()).ended).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(whole['text/csv']);
  });

  it('waits for a service that goes away, however often, and asks again for the page that broke off', async () => {
    const command = run(intoFile('--rows', '10'));
    for (const rows of [1, 200, 400]) {
      await onItsWay(rows);
      proxy.cut();
    }
    expect(await command.ended).toBe(0);
    expect(command.stderr()).toContain('does not answer');
    expect(readFileSync(out, 'utf8')).toBe(whole['text/csv']);
  });

  it('gives up when nobody answers for long, and says that it can go on', async () => {
    const command = run(intoFile('--give-up', '1', '--url', 'http://127.0.0.1:1'));
    expect([await command.ended, command.stderr()]).toEqual([1, expect.stringMatching(/does not answer.*goes on/s)]);
  });

  it('finishes what ended between its last page and its last step', async () => {
    const command = run(intoFile('--rows', '10'));
    await onItsWay();
    command.child.kill('SIGKILL');
    await command.ended;
    writeFileSync(`${out}.part`, whole['text/csv'] ?? '');
    writeFileSync(`${out}.part.json`, JSON.stringify({ ...progress(), cursor: null, complete: true }));
    expect(await run(intoFile('--rows', '10')).ended).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(whole['text/csv']);
  });

  it('does not touch what is there already, unless it is told to', async () => {
    writeFileSync(out, 'mine');
    const command = run(intoFile());
    expect([await command.ended, command.stderr()]).toEqual([2, expect.stringContaining('--force')]);
    expect(readFileSync(out, 'utf8')).toBe('mine');
    expect(await run(intoFile('--force')).ended).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(whole['text/csv']);
  });

  it('does not go on with another export', async () => {
    const command = run(intoFile('--rows', '10'));
    await onItsWay();
    command.child.kill('SIGKILL');
    await command.ended;
    const other = run(['export', 'readings', 'productKey=a1', '--out', out]);
    expect([await other.ended, other.stderr()]).toEqual([2, expect.stringContaining('another export')]);
  });

  it.each<[string, string[], Record<string, string>, number, RegExp]>([
    ['nothing to export', [], {}, 2, /Say what to export/],
    ['a list that is none', ['export', 'nope'], {}, 2, /no list nope/],
    ['an option that is none', ['export', 'devices', '--nope'], {}, 2, /--nope/],
    ['a format that is none', ['export', 'devices', '--format', 'xml'], {}, 2, /csv or ndjson, not xml/],
    ['an address that is none', ['export', 'devices', '--url', 'here'], {}, 2, /must be an address/],
    ['too many rows', ['export', 'devices', '--rows', '10001'], {}, 2, /1 to 10000, not 10001/],
    ['a wrong filter', ['export', 'devices', 'online=maybe'], {}, 1, /400: online "maybe" must be true, false/],
    ['a wrong token', ['export', 'devices'], { LIVING_MIRROR_TOKEN: 'wrong' }, 1, /401: .*LIVING_MIRROR_TOKEN/s],
    ['a device that is none', ['export', 'device-events', 'device=a:b'], {}, 1, /404: No device a:b/],
    ['a folder that is none', ['export', 'devices', '--out', '/nowhere/x.csv'], {}, 2, /cannot be written \(ENOENT\)/],
  ])('refuses %s in words for people', async (_, args, env, code, words) => {
    const command = run(args, env);
    expect([await command.ended, command.stderr()]).toEqual([code, expect.stringMatching(words)]);
    expect(command.stderr()).not.toMatch(/\n\s+at |node:internal/);
  });

  it('takes the token from a file', async () => {
    const file = path.join(folder, 'token');
    writeFileSync(file, `${TOKEN}\n`);
    const command = run(['export', 'devices', '--token-file', file], { LIVING_MIRROR_TOKEN: 'wrong' });
    expect(await command.ended).toBe(0);
    expect(command.stdout().split('\r\n')).toHaveLength(12);
  });
});
