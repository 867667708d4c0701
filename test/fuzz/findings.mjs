// @ts-check
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** @typedef {import('./checks.mjs').Fault} Fault */

/** Faults as files, each told once with the command that tries it again. */
export class Findings {
  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
    /** @type {{ file: string, rule: string, detail: string }[]} */
    this.all = [];
  }

  /**
   * @param {Record<string, unknown>} input
   * @param {Fault} fault
   */
  add(input, { rule, detail }) {
    const text = `${JSON.stringify({ rule, input }, null, 2)}\n`;
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
    const file = path.join(this.folder, `${rule.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${hash}.json`);
    if (this.all.some((known) => known.file === file)) return;
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(file, text);
    this.all.push({ file, rule, detail });
    console.log(`\nFINDING: ${rule}\n  ${detail.split('\n').slice(0, 8).join('\n  ')}`);
    console.log(`  again: npm run fuzz -- --replay ${path.relative(process.cwd(), file)}\n`);
  }
}
