// @ts-check
import { readFileSync, readdirSync } from 'node:fs';

/** Ticks a second in /proc: a constant of the kernel's interface. */
const TICKS = 100;

/**
 * Processor seconds of a process, its children alive, and those that ended and were waited for. Only Linux tells.
 * @param {number} pid
 * @returns {number | null}
 */
export function cpuSeconds(pid) {
  const all = readProcesses();
  const self = all.get(pid);
  if (!self) return null;
  let ticks = self.own + self.ended;
  for (const { parent, own, ended } of all.values()) if (parent === pid) ticks += own + ended;
  return ticks / TICKS;
}

/**
 * The most memory that a process ever had resident, in bytes. Only Linux tells.
 * @param {number} pid
 * @returns {number | null}
 */
export function peakMemory(pid) {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) * 1_024;
  } catch {
    return null;
  }
}

function readProcesses() {
  /** @type {Map<number, { parent: number, own: number, ended: number }>} */
  const all = new Map();
  let names;
  try {
    names = readdirSync('/proc');
  } catch {
    return all;
  }
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name of the program may hold spaces and brackets: fields are counted behind its last one.
      const fields = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
      const [parent = 0, user = 0, system = 0, endedUser = 0, endedSystem = 0] = [1, 11, 12, 13, 14].map(
        (index) => fields[index],
      );
      all.set(Number(name), { parent, own: user + system, ended: endedUser + endedSystem });
    } catch {
      // gone meanwhile
    }
  }
  return all;
}
