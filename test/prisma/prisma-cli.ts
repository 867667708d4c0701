import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { root } from '../../scripts/checkout.mjs';

/** What a run of the Prisma CLI said, and how it ended. */
export interface Run {
  readonly code: number | null;
  /** Both streams, without Prisma's lines about what it has loaded. */
  readonly output: string;
}

/** A copy of our Prisma files that a test may write migrations into, with the real CLI. */
export class PrismaProject {
  /** There is a space in it on purpose. */
  readonly folder = mkdtempSync(join(tmpdir(), 'prisma project '));
  #environment: NodeJS.ProcessEnv;

  /** @param databaseUrl none: as if neither `DATABASE_URL` nor an embedded database were there */
  constructor(databaseUrl?: string) {
    for (const path of ['prisma', 'prisma.config.ts', 'package.json']) {
      cpSync(join(root, path), join(this.folder, path), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'), 'dir');
    this.#environment = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(PRISMA_|DATABASE_URL$|NODE_OPTIONS$)/.test(name)),
    );
    this.#environment['CHECKPOINT_DISABLE'] = '1';
    this.#environment['NO_COLOR'] = '1';
    // Also where the native engine is there: it is the bridge that is tested here.
    this.#environment['PRISMA_SCHEMA_ENGINE_BINARY'] = join(this.folder, 'prisma/engine/schema-engine.mjs');
    if (databaseUrl !== undefined) this.#environment['DATABASE_URL'] = databaseUrl;
  }

  /** Adds a migration, or replaces one. */
  writeMigration(name: string, sql: string): void {
    const folder = join(this.folder, 'prisma/migrations', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'migration.sql'), sql);
  }

  /** Puts a schema and a history of the test's own in the place of ours. */
  startOver(schema: string): void {
    rmSync(join(this.folder, 'prisma/migrations'), { recursive: true });
    mkdirSync(join(this.folder, 'prisma/migrations'));
    writeFileSync(join(this.folder, 'prisma/migrations/migration_lock.toml'), 'provider = "postgresql"\n');
    writeFileSync(
      join(this.folder, 'prisma/schema.prisma'),
      `datasource db {\n  provider = "postgresql"\n}\n${schema}`,
    );
  }

  /** Runs `prisma …` to its end. */
  async run(args: string, environment: NodeJS.ProcessEnv = {}): Promise<Run> {
    const child = this.start(args, environment);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    return { code, output: output.replace(/^(Loaded Prisma config|Prisma schema loaded) from .*\n+/gm, '').trim() };
  }

  /** Starts `prisma …`; whoever starts it ends it. */
  start(args: string, environment: NodeJS.ProcessEnv = {}): ChildProcessByStdio<null, Readable, Readable> {
    const cli = join(root, 'node_modules/prisma/build/index.js');
    return spawn(process.execPath, [cli, ...args.split(' ')], {
      cwd: this.folder,
      env: { ...this.#environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
