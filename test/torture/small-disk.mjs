// @ts-check
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync, statfsSync } from 'node:fs';

const MIB = 1_024 * 1_024;
/** What is left of a full disk: less than anybody needs. */
const LEFT_MIB = 1;

/** A disk in memory that can be made full at any time: its size is changed under what is on it. Needs root. */
export class SmallDisk {
  #folder;
  #mib;

  /**
   * @param {string} folder where it is mounted
   * @param {number} mib
   */
  constructor(folder, mib) {
    this.#folder = folder;
    this.#mib = mib;
  }

  mount() {
    mkdirSync(this.#folder, { recursive: true });
    mount('-t', 'tmpfs', '-o', `size=${this.#mib}m,mode=700`, 'torture', this.#folder);
  }

  fill() {
    const { bsize, blocks, bfree } = statfsSync(this.#folder);
    this.#resize(Math.ceil(((blocks - bfree) * bsize) / MIB) + LEFT_MIB);
  }

  /** As large as it was. */
  empty() {
    this.#resize(this.#mib);
  }

  unmount() {
    spawnSync('umount', ['--lazy', this.#folder], { stdio: 'ignore' });
  }

  /** @param {number} mib */
  #resize(mib) {
    mount('-o', `remount,size=${mib}m`, this.#folder);
  }
}

/** @param {readonly string[]} args */
function mount(...args) {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${String(stderr).trim()}`);
}

/** Whether this machine lets us mount one. @param {string} folder to try it in */
export function canMount(folder) {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const disk = new SmallDisk(folder, 1);
  try {
    disk.mount();
    disk.unmount();
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
