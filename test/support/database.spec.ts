import { afterAll, describe, expect, it } from '@jest/globals';
import { query } from '../../scripts/postgres/connection.mjs';
import { readMigrations, isMigrated } from '../../scripts/postgres/migrations.mjs';
import { root } from '../../scripts/checkout.mjs';
import { freshDatabase, type TestDatabase } from './database.js';

describe('a fresh database', () => {
  const made: TestDatabase[] = [];
  const fresh = async (options?: { migrated: boolean }) => {
    const database = await freshDatabase(options);
    made.push(database);
    return database;
  };
  afterAll(() => Promise.all(made.map((database) => database.drop())));

  it('has every migration of this checkout, as Prisma would have left it', async () => {
    const { url } = await fresh();
    expect(await isMigrated(url, readMigrations(root))).toBe(true);
  });

  it('shares nothing with another, though made at the same moment', async () => {
    const [one, other] = await Promise.all([fresh(), fresh()]);
    await query(one.url, 'CREATE TABLE mine (id int)');
    await expect(query(other.url, 'SELECT * FROM mine')).rejects.toMatchObject({ code: '42P01' });
  });

  it('is empty when asked to be', async () => {
    const { url } = await fresh({ migrated: false });
    const { rows } = await query(url, "SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'");
    expect(rows).toEqual([{ tables: 0 }]);
  });

  it('is gone once dropped, even while somebody is connected', async () => {
    const database = await freshDatabase();
    await database.drop();
    await expect(query(database.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' });
  });
});
