import { describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, promises, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { changeStudioRowKeys, withRowKeys } from '../../prisma/studio/row-keys.js';
import { root } from '../../scripts/checkout.mjs';
import { PrismaProject } from './prisma-cli.js';

const UI = join(root, 'node_modules/prisma/build/studio.js');
const installed = readFileSync(UI, 'utf8');

const VIEW = { schema: 'public', name: 'View', columns: { at: column('at'), value: column('value') } };
const TABLE = { schema: 'public', name: 'Table', columns: { id: column('id', 1), value: column('value') } };

describe('the installed Prisma Studio', () => {
  it('shows one row for all rows of a view', () => {
    const keys = keysOf(installed, VIEW, [{ at: 1 }, { at: 2 }, { at: 2 }]);
    expect(new Set(keys).size).toBe(1); // Fixed in Prisma? Then prisma/studio can go.
  });

  it('gets a key of its own for every row of a view', () => {
    const keys = keysOf(changed(), VIEW, [{ at: 1 }, { at: 2 }, { at: 2 }]);
    expect(new Set(keys).size).toBe(3);
  });

  it('does not take a row for the one that had its place on another page', () => {
    const [first] = keysOf(changed(), VIEW, [{ at: 1 }]);
    const [other] = keysOf(changed(), VIEW, [{ at: 2 }]);
    expect(other).not.toBe(first);
  });

  it('keeps its own keys where there is a primary key, by which it edits and deletes', () => {
    const rows = [
      { id: 7, value: 'a' },
      { id: 8, value: 'a' },
    ];
    expect(keysOf(changed(), TABLE, rows)).toEqual(keysOf(installed, TABLE, rows));
  });

  it('is not changed twice', () => {
    expect(withRowKeys(changed())).toBe(changed());
  });
});

describe('changeStudioRowKeys', () => {
  const other = join(root, 'package.json');

  it('changes what the CLI reads, however often it is called', async () => {
    const warn = jest.fn();
    const files = { readFile: promises.readFile };
    changeStudioRowKeys(files, warn);
    changeStudioRowKeys(files, warn);
    expect((await files.readFile(UI)).toString() === changed()).toBe(true);
    expect(warn).not.toHaveBeenCalled();
  });

  it('leaves other files and their errors alone', async () => {
    const files = { readFile: promises.readFile };
    changeStudioRowKeys(files);
    expect(await files.readFile(other, 'utf8')).toBe(readFileSync(other, 'utf8'));
    await expect(files.readFile(join(root, 'no/such/prisma/build/studio.js'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['does not know', 'another version'],
    ['finds ambiguous', installed + installed],
  ])('serves a Studio that it %s as it is, and says so once', async (_, ui) => {
    const folder = mkdtempSync(join(tmpdir(), 'studio '));
    const file = join(folder, 'prisma/build/studio.js');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, ui);
    const warn = jest.fn();
    const files = { readFile: promises.readFile };
    changeStudioRowKeys(files, warn);
    await files.readFile(file);
    expect((await files.readFile(file)).toString() === ui).toBe(true);
    expect(warn.mock.calls).toEqual([[expect.stringContaining('only one row')]]);
    rmSync(folder, { recursive: true });
  });
});

describe('prisma studio', () => {
  it('serves the changed UI, and asks no database for that', async () => {
    const project = new PrismaProject('postgresql://nobody@127.0.0.1:1/none');
    const studio = project.start('studio --browser none');
    try {
      const ui = await fetch(`${await addressOf(studio)}/studio.js`);
      expect((await ui.text()) === changed()).toBe(true);
    } finally {
      studio.kill('SIGKILL');
      await once(studio, 'close');
      project.remove();
    }
  });
});

function addressOf(studio: ReturnType<PrismaProject['start']>): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    studio.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const address = /http:\S+(?=\n)/.exec(output)?.[0];
      if (address !== undefined) resolve(address);
    });
    studio.on('close', () => reject(new Error(`Studio has not started: ${output}`)));
  });
}

function column(name: string, pkPosition: number | null = null) {
  return { name, pkPosition };
}

function changed(): string {
  const ui = withRowKeys(installed);
  if (ui === undefined)
    throw new Error('prisma/studio/row-keys.ts does not know the installed version of Prisma Studio.');
  return ui;
}

/** Runs the part of Studio that gives rows their keys: two functions, and the one that they call for the primary key. */
function keysOf(ui: string, table: typeof VIEW | typeof TABLE, rows: object[]): string[] {
  const [functions, , primaryKey, withKey] =
    /function [\w$]+\((\w+),\w+\)\{let \w+=\{filter:([\w$]+)\(.{0,200}?\}function ([\w$]+)\(\w+\)\{.{0,80}__ps_rowid:.{0,250}?\}\}(?=function)/.exec(
      ui,
    ) ?? [];
  if (functions === undefined) throw new Error('The installed version of Prisma Studio makes its keys in another way.');
  const start = ui.indexOf(`function ${primaryKey}(`);
  const end = ui.indexOf('}function ', start) + 1;
  const script = `${ui.slice(start, end)};${functions};rows.map((row,orderIndex)=>${withKey}({row,table,orderIndex}).__ps_rowid)`;
  return [...(runInNewContext(script, { rows, table }) as string[])];
}
