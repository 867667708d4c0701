// @ts-check
import { spawn } from 'node:child_process';

/**
 * Sees to it that a child dies with us, even if we are killed outright: a waiting shell holds the other end of a pipe,
 * and when that closes (a dead process closes everything) it signals the child. Works wherever there is a POSIX shell.
 * @param {number} pid the child; a negative number means its process group
 * @param {'INT' | 'TERM' | 'KILL'} signal
 * @returns {() => void} ends the guard; call it once the child is gone
 */
export function guardProcess(pid, signal) {
  if (process.platform === 'win32') return () => {};
  // "done" on the pipe means the child ended by itself: its number may belong to somebody else by now.
  const script = 'read -r word; [ "$word" = done ] || kill -s "$1" -- "$2" 2>/dev/null';
  const shell = spawn('/bin/sh', ['-c', script, 'guard', signal, String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // Ctrl-C in the terminal must not end the guard before the guarded
  });
  shell.on('error', () => {}); // no shell: the child is simply not guarded
  shell.stdin.on('error', () => {});
  shell.unref();
  const { stdin } = shell;
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return () => stdin.end('done\n');
}
