import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { chooseSchemaEngine } from '../../prisma/engine/choose-engine.js';

describe('chooseSchemaEngine', () => {
  let folder: string;
  let bridge: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'choose engine '));
    bridge = file('bridge.mjs');
    chmodSync(bridge, 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('takes the bridge where there is no native engine', () => {
    expect(chosen()).toBe(bridge);
  });

  it.each([
    ['in the package', 'engines/schema-engine-debian-openssl-3.0.x'],
    ['in the package, on Windows', 'engines/schema-engine-windows.exe'],
    ['in the download cache', 'cache/prisma/master/abc/darwin-arm64/schema-engine'],
  ])('leaves the native engine that is there: %s', (_, path) => {
    file(path);
    expect(chosen()).toBeUndefined();
  });

  it.each([
    ['of another version', 'cache/prisma/master/def/darwin-arm64/schema-engine'],
    ['not whole yet', 'engines/schema-engine-darwin-arm64.tmp4711'],
    ['only its checksum', 'cache/prisma/master/abc/darwin-arm64/schema-engine.sha256'],
  ])('does not count an engine %s', (_, path) => {
    file(path);
    expect(chosen()).toBe(bridge);
  });

  it.each(['PRISMA_SCHEMA_ENGINE_BINARY', 'PRISMA_MIGRATION_ENGINE_BINARY', 'PRISMA_ENGINES_MIRROR'])(
    'leaves it to a user who has set %s',
    (name) => {
      const environment = { [name]: 'mine' };
      chosen(environment);
      expect(environment).toEqual({ [name]: 'mine' });
    },
  );

  it('makes a bridge executable that has lost its mode', () => {
    chmodSync(bridge, 0o644);
    chosen();
    expect(statSync(bridge).mode & 0o111).toBe(0o111);
  });

  function chosen(environment: NodeJS.ProcessEnv = {}): string | undefined {
    environment['XDG_CACHE_HOME'] ??= join(folder, 'cache');
    chooseSchemaEngine(bridge, { environment, enginesFolder: join(folder, 'engines'), commit: 'abc' });
    delete environment['XDG_CACHE_HOME'];
    return environment['PRISMA_SCHEMA_ENGINE_BINARY'];
  }

  function file(path: string): string {
    const whole = join(folder, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, '');
    return whole;
  }
});
