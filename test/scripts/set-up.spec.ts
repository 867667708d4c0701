import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { root } from '../../scripts/checkout.mjs';

jest.setTimeout(60_000); // it starts many processes, and a machine may be busy

/** Stand-ins for npm, prisma and nest: each notes that it was called and leaves what the real one would. */
const NPM = `
  const fs = require('node:fs');
  fs.appendFileSync('calls', 'npm ' + process.argv[2] + '\\n');
  const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
  fs.mkdirSync('node_modules/prisma/build', { recursive: true });
  fs.mkdirSync('node_modules/@nestjs/cli/bin', { recursive: true });
  fs.writeFileSync('node_modules/prisma/package.json', '{"version":"7"}');
  fs.copyFileSync('tools/prisma.cjs', 'node_modules/prisma/build/index.js');
  fs.copyFileSync('tools/nest.cjs', 'node_modules/@nestjs/cli/bin/nest.js');
  delete lock.packages['node_modules/for-other-machines'];
  fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify(lock));`;
const PRISMA = `
  const fs = require('node:fs');
  fs.appendFileSync('calls', 'prisma ' + process.argv[2] + '\\n');
  fs.mkdirSync('src/storage/generated', { recursive: true });
  fs.writeFileSync('src/storage/generated/client.ts', '');`;
const NEST = `
  const fs = require('node:fs');
  fs.appendFileSync('calls', 'nest ' + process.argv[2] + '\\n');
  if (fs.readFileSync('src/main.ts', 'utf8') === 'wrong') { console.log('main.ts(1,1): wrong'); process.exit(2); }
  fs.mkdirSync('dist', { recursive: true });
  fs.writeFileSync('dist/main.js', '');`;

describe('the set-up of a clone', () => {
  let clone: string;
  const write = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(clone, name)), { recursive: true });
    writeFileSync(path.join(clone, name), text);
  };
  const lock = (version: string) =>
    write(
      'package-lock.json',
      JSON.stringify({
        packages: {
          '': {},
          'node_modules/a': { version, integrity: `sha512-${version}` },
          'node_modules/for-other-machines': { version: '1', optional: true },
        },
      }),
    );
  /** What the tools were called for since the last time. */
  const calls = () => {
    const file = path.join(clone, 'calls');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, '');
    return text.split('\n').filter((line) => line !== '');
  };
  const setUp = () =>
    new Promise<{ code: number | null; said: string }>((resolve, reject) => {
      const script = `
        import { runCommand } from ${JSON.stringify(path.join(root, 'scripts/plain-error.mjs'))};
        import { setUp } from ${JSON.stringify(path.join(root, 'scripts/setup/set-up.mjs'))};
        await runCommand(() => setUp(process.cwd(), { build: true }));`;
      const env = { ...process.env, npm_execpath: path.join(clone, 'tools', 'npm-cli.js') };
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: clone, env });
      let said = '';
      child.stderr.on('data', (data: Buffer) => (said += String(data)));
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, said }));
    });

  beforeEach(async () => {
    clone = await mkdtemp(path.join(os.tmpdir(), `living-mirror-test-${process.pid}-clone `));
    lock('1');
    write('package.json', '{}');
    write('calls', '');
    write('tools/npm-cli.js', NPM);
    write('tools/prisma.cjs', PRISMA);
    write('tools/nest.cjs', NEST);
    write('prisma/schema.prisma', 'model A');
    write('src/main.ts', '');
  });
  afterEach(() => rm(clone, { recursive: true, force: true }));

  it('installs, generates and compiles, and nothing of it a second time', async () => {
    expect(await setUp()).toMatchObject({ code: 0 });
    expect(calls()).toEqual(['npm ci', 'prisma generate', 'nest build']);
    expect(await setUp()).toEqual({ code: 0, said: '' });
    expect(calls()).toEqual([]);
  });

  it.each<[change: string, make: () => void, expected: string[]]>([
    ['the lock file', () => lock('2'), ['npm install', 'nest build']],
    ['the schema', () => write('prisma/schema.prisma', 'model B'), ['prisma generate']],
    ['a source', () => write('src/other.ts', 'new'), ['nest build']],
    ['a test', () => write('src/other.spec.ts', 'new'), []],
    ['an install that was interrupted', () => rmSync(path.join(clone, 'node_modules/.package-lock.json')), ['npm ci']],
    ['the build being removed', () => rmSync(path.join(clone, 'dist'), { recursive: true }), ['nest build']],
  ])('after a change of %s does only what it asks for', async (_change, make, expected) => {
    await setUp();
    calls();
    make();
    expect(await setUp()).toMatchObject({ code: 0 });
    expect(calls()).toEqual(expected);
  });

  it('is done once when two commands need it at the same moment', async () => {
    const both = await Promise.all([setUp(), setUp()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(calls()).toEqual(['npm ci', 'prisma generate', 'nest build']);
  });

  it('takes over from a set-up that was killed', async () => {
    const gone = spawn(process.execPath, ['--version']);
    await new Promise((resolve) => gone.once('close', resolve));
    write('data/setup.lock/pid', `${gone.pid} left behind`);
    expect(await setUp()).toMatchObject({ code: 0 });
  });

  it('shows what does not compile, and tries again next time', async () => {
    write('src/main.ts', 'wrong');
    const failed = await setUp();
    expect(failed.code).toBe(1);
    expect(failed.said).toContain('The sources do not compile:\n  main.ts(1,1): wrong');
    write('src/main.ts', 'right');
    expect(await setUp()).toMatchObject({ code: 0 });
  });

  it.each([
    ['getaddrinfo ENOTFOUND registry.example.org', /the npm registry cannot be reached/],
    ['ENOSPC: no space left on device', /the disk is full/],
    ['npm error code EUSAGE', /package.json and package-lock.json disagree/],
  ])('explains "%s"', async (output, reason) => {
    write('tools/npm-cli.js', `console.error(${JSON.stringify(output)}); process.exit(1);`);
    const { code, said } = await setUp();
    expect(code).toBe(1);
    expect(said).toMatch(reason);
  });
});
