// @ts-check
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Copies what Docker would send of a checkout: the files of git that .dockerignore lets through.
 * @param {string} root the checkout
 * @param {string} output
 * @returns {readonly string[]} the files
 */
export function buildContext(root, output) {
  const rules = readFileSync(path.join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keeps: line.startsWith('!'), pattern: patternOf(line.replace(/^!/, '')) }));
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const kept = files.split('\0').filter((file) => {
    // The last rule that speaks of a file, or of a folder above it, decides.
    const rule = rules.findLast(({ pattern }) => pattern.test(file));
    return file !== '' && (rule === undefined || rule.keeps);
  });
  for (const file of kept) cpSync(path.join(root, file), path.join(output, file), { recursive: true });
  return kept;
}

/** @param {string} glob */
function patternOf(glob) {
  const source = glob
    .replace(/^\//, '')
    .split('/')
    .map((part) =>
      part === '**' ? '(?:.*/)?' : `${part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')}/`,
    )
    .join('')
    .replace(/\/$/, '');
  return new RegExp(`^${source}(?:/|$)`);
}
