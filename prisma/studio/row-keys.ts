// Prisma Studio shows a page of rows from a view as one row (docs/decisions/0007-rows-of-views-in-studio.md).

import { promises } from 'node:fs';

/** The program that `prisma studio` serves to the browser, wherever the CLI is installed. */
const UI = /[\\/]prisma[\\/]build[\\/]studio\.js$/;

type ReadFile = typeof promises.readFile;

/** What is asked for files: a property that can be replaced. */
export interface Files {
  readFile: ReadFile;
}

/** A JavaScript name, minified or not. */
const NAME = String.raw`([\w$]+)`;

/** Where a row is given its key: `{row: r, table: i, orderIndex: s}` is unpacked, and `key(r, i)` called. */
const ROW_KEY = new RegExp(
  String.raw`\{row:${NAME},table:${NAME},orderIndex:${NAME}\}=${NAME};return ?\{\.\.\.\1,__ps_rowid:${NAME}\(\1,\2\),`,
  'g',
);

/** Whether the table has a primary key; the mark of a changed UI, too. */
const HAS_KEY = '.some(({pkPosition:pk})=>pk!=null)';

const UNKNOWN_UI =
  'This version of Prisma Studio shows only one row of each page of a view: prisma/studio/row-keys.ts does not know it.';

/**
 * Makes Studio's UI tell the rows of a table without a primary key apart. Its own key of a row is the values of the primary key: a
 * view has none, so all its rows had the same key. Such a row's key gets its place on the page and all of its values as well; the keys
 * of other rows stay what they are.
 * @param ui source of the UI
 * @returns the changed source (the same if it is changed already), or nothing if the place to change is not there exactly once
 */
export function withRowKeys(ui: string): string | undefined {
  if (ui.includes(HAS_KEY)) return ui;
  if ([...ui.matchAll(ROW_KEY)].length !== 1) return undefined;
  return ui.replace(
    ROW_KEY,
    '{row:$1,table:$2,orderIndex:$3}=$4;return{...$1,__ps_rowid:' +
      `Object.values($2.columns)${HAS_KEY}?$5($1,$2):JSON.stringify([$5($1,$2),$3,$1]),`,
  );
}

/**
 * From now on Studio's UI is changed by {@link withRowKeys} when the CLI, running in this very process, reads it to serve it. The
 * installed file stays as it is. A UI that cannot be changed is served unchanged, and a warning is printed, once.
 * @param files what is asked for the file; to be given in tests only
 * @param warn where the warning goes
 */
export function changeStudioRowKeys(files: Files = promises, warn = console.warn): void {
  let warned = false;
  // The CLI calls `require('node:fs/promises').readFile`, looked up on this same object for every request.
  files.readFile = new Proxy(files.readFile, {
    async apply(readFile: ReadFile, self: unknown, args: Parameters<ReadFile>) {
      const content = await Reflect.apply(readFile, self, args);
      if (typeof args[0] !== 'string' || !UI.test(args[0])) return content;
      const changed = withRowKeys(content.toString());
      if (changed !== undefined) return Buffer.from(changed);
      if (!warned) warn(UNKNOWN_UI);
      warned = true;
      return content;
    },
  });
}
