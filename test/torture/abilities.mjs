// @ts-check
import { existsSync } from 'node:fs';
import path from 'node:path';
import { FAULTS } from './catalogue.mjs';
import { canMount } from './small-disk.mjs';

const FAKETIME = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/faketime/libfaketimeMT.so.1',
];

/**
 * What this machine and these options allow.
 * @typedef {object} Abilities
 * @property {string | null} faketime the library that gives a process a clock of its own
 * @property {boolean} tmpfs whether disks can be made full
 * @property {boolean} spools whether any replica has a spool
 */

/**
 * @param {{ folder: string, spool: import('./options.mjs').TortureOptions['spool'] }} options
 * @returns {Abilities}
 */
export function findAbilities({ folder, spool }) {
  return {
    faketime: FAKETIME.find((file) => existsSync(file)) ?? null,
    tmpfs: canMount(path.join(folder, 'try')),
    spools: spool !== 'none',
  };
}

/**
 * The faults that can be and are wanted, and in a line each why others are left out.
 * @param {Abilities} abilities
 * @param {Pick<import('./options.mjs').TortureOptions, 'only' | 'without'>} wanted
 */
export function chooseFaults({ faketime, tmpfs, spools }, { only, without }) {
  /** @type {Record<string, string | null>} */
  const missing = {
    faketime: faketime === null ? 'no libfaketime here (apt-get install faketime)' : null,
    tmpfs: tmpfs ? null : 'no disk of a chosen size can be mounted here (that needs root)',
    'spool-tmpfs': !spools
      ? 'no replica has a spool'
      : tmpfs
        ? null
        : 'no disk of a chosen size can be mounted here (that needs root)',
  };
  /** @type {string[]} */
  const skipped = [];
  /** @type {Set<string>} */
  const faults = new Set();
  for (const { name, needs } of FAULTS) {
    if ((only.length > 0 && !only.includes(name)) || without.includes(name)) continue;
    const why = needs === undefined ? null : missing[needs];
    if (why === null || why === undefined) faults.add(name);
    else skipped.push(`${name}: ${why}`);
  }
  return { faults, skipped };
}
