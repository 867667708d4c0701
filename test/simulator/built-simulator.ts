import { copyFile, mkdir, mkdtemp, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { transformFile } from '@swc/core';

/** Compiles the simulator's sources as they are now and returns the path of its main.js; independent of `dist/`. */
export async function builtSimulator(): Promise<{ directory: string; main: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'simulator-process-'));
  const sources = resolve('src/simulator');
  for (const file of await readdir(sources, { recursive: true })) {
    if (!/\.(ts|mjs)$/.test(file) || file.endsWith('.spec.ts')) continue;
    const target = join(directory, 'dist', 'simulator', file.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    if (file.endsWith('.mjs')) {
      await copyFile(join(sources, file), target);
      continue;
    }
    const { code } = await transformFile(join(sources, file), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'es6' },
    });
    await writeFile(target, code);
  }
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  await symlink(resolve('simulator'), join(directory, 'simulator'));
  await symlink(resolve('node_modules'), join(directory, 'node_modules'));
  return { directory, main: join(directory, 'dist', 'simulator', 'main.js') };
}
