// Read by every `npx prisma …`: where the schema and the migrations are, which database, which schema engine.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { config as loadEnvFile } from 'dotenv';
import { defineConfig } from 'prisma/config';
import { chooseSchemaEngine } from './prisma/engine/choose-engine.js';
import { findDatasource, whyNoDatabase } from './prisma/engine/datasource-url.js';

const root = dirname(fileURLToPath(import.meta.url));

// What the environment says wins over `.env`.
loadEnvFile({ path: join(root, '.env'), quiet: true });

chooseSchemaEngine(join(root, 'prisma/engine/schema-engine.mjs'));

const datasource = findDatasource(join(root, 'data/postgres.json'));

// This file is also read by editors, so only the CLI's own commands are refused.
if (/[\\/](prisma|prisma[\\/]build[\\/]index\.js)$/.test(process.argv[1] ?? '')) {
  const refusal = await whyNoDatabase(process.argv.slice(2), datasource);
  if (refusal !== undefined) {
    console.error(refusal);
    process.exit(1);
  }
}

// No other command pays for it.
if (process.argv.includes('studio')) {
  const { changeStudioRowKeys } = await import('./prisma/studio/row-keys.js');
  changeStudioRowKeys();
}

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(datasource && { datasource: { url: datasource.url } }),
});
