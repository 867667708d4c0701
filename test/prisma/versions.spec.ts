import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/checkout.mjs';

const versionOf = (name: string): string => {
  const text = readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
};

describe('the parts of Prisma', () => {
  it.each(['@prisma/client', '@prisma/adapter-pg', '@prisma/driver-adapter-utils', '@prisma/engines'])(
    '%s has the version of the command line',
    (name) => {
      expect(versionOf(name)).toBe(versionOf('prisma'));
    },
  );

  it('includes the schema engine that the command line would download', () => {
    expect(versionOf('@prisma/schema-engine-wasm')).toBe(versionOf('@prisma/engines-version'));
  });
});
