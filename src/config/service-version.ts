import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Which service it was that did not understand a message: the version of the package and eight digits that change whenever
 * the code that decodes does, such as `0.1.0-3f9a1c2b`. A fixed decoder is so known from the one before it, released or not.
 */
export const SERVICE_VERSION = `${packageVersion()}-${fingerprint(fileURLToPath(new URL('../decoding/', import.meta.url)))}`;

function packageVersion(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
    if (folder === dirname(folder)) throw new Error('package.json is not beside the program: ship it with dist/');
  }
}

function fingerprint(folder: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => /(?<!\.spec|\.d)\.[jt]s$/.test(name)).sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(folder, file)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 8);
}
