import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { PrismaProject } from './prisma-cli.js';

jest.setTimeout(60_000);

describe('prisma migrate on an empty database', () => {
  let database: TestDatabase;
  let project: PrismaProject;

  beforeAll(async () => {
    database = await freshDatabase({ migrated: false });
    project = new PrismaProject(database.url);
  });
  afterAll(async () => {
    project.remove();
    await database.drop();
  });

  it('deploys, and then has nothing left to do, not even after a day of new partitions', async () => {
    const deployed = await project.run('migrate deploy');
    expect(deployed).toMatchObject({ code: 0, output: expect.stringContaining('successfully applied') });

    await query(`SELECT "partitions"."add_day"('SeenMessage', current_date + day) FROM generate_series(3, 9) AS day`);
    const [status, diff] = await Promise.all([
      project.run('migrate status'),
      project.run('migrate diff --from-config-datasource --to-schema prisma/schema.prisma --exit-code'),
    ]);
    expect(status).toMatchObject({ code: 0, output: expect.stringContaining('Database schema is up to date!') });
    expect(diff).toMatchObject({ code: 0, output: 'No difference detected.' });
  });

  it('finds no drift between the migrations and the database, and leaves no shadow database', async () => {
    const dev = await project.run('migrate dev');
    expect(dev).toMatchObject({ code: 0, output: expect.stringContaining('Already in sync') });
    const { rows } = await query(`SELECT datname FROM pg_database WHERE datname ~ 'shadow'`);
    expect(rows).toEqual([]);
  });

  it('sends a function body with semicolons in one piece', async () => {
    const name = '20991231000000_function';
    const sql = `CREATE FUNCTION answer() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM ';'; RETURN 42; END; $$;\nSELECT answer();`;
    project.writeMigration(name, sql);
    expect(await project.run('migrate deploy')).toMatchObject({ code: 0, output: expect.stringContaining(name) });
    expect((await query('SELECT answer()')).rows).toEqual([{ answer: 42 }]);
  });

  it('names the migration, the statement and what PostgreSQL said when one fails', async () => {
    const name = '20991231000001_twice';
    project.writeMigration(
      name,
      `-- one; two\nBEGIN;\nCREATE TABLE "Other" (id int);\n\nCREATE TABLE "Device" (\n  id int\n);\nCOMMIT;\n`,
    );
    const { code, output } = await project.run('migrate deploy');
    expect(code).toBe(1);
    expect(output).toContain('P3018');
    expect(output).toContain(`Migration name: ${name}`);
    expect(output).toContain('Database error code: 42P07');
    expect(output).toContain(
      'ERROR: relation "Device" already exists\n\nStatement: line 5\n  5 CREATE TABLE "Device" (\n  6   id int\n  7 );',
    );

    expect((await project.run('migrate deploy')).output).toContain('P3009'); // It was written down as failed.
    expect(await project.run(`migrate resolve --rolled-back ${name}`)).toMatchObject({ code: 0 });
    project.removeMigration(name);
  });

  it('says at which line a migration does not fit the ones before it', async () => {
    const name = '20991231000002_misfit';
    project.writeMigration(name, `SELECT 1;\nALTER TABLE "Device" ADD COLUMN "x" nothing;\n`);
    const { code, output } = await project.run('migrate dev');
    expect(code).toBe(1);
    expect(output).toContain('P3006');
    expect(output).toContain(name);
    expect(output).toContain('ERROR: type "nothing" does not exist\n\nPosition: line 2');
    project.removeMigration(name);
  });

  const query = async (sql: string): Promise<pg.QueryResult> => {
    const client = new pg.Client(database.url);
    await client.connect();
    try {
      return await client.query(sql);
    } finally {
      await client.end();
    }
  };
});

describe('prisma migrate without its database', () => {
  let database: TestDatabase;
  let project: PrismaProject;

  beforeAll(async () => {
    database = await freshDatabase({ migrated: false });
    project = new PrismaProject();
  });
  afterAll(async () => {
    project.remove();
    await database.drop();
  });

  it.each([
    ['a wrong password', (url: URL) => (url.password = 'wrong'), 'P1000: Authentication failed'],
    [
      'a host where nothing listens',
      (url: URL) => (url.port = '1'),
      "P1001: Can't reach database server at `127.0.0.1`:`1`",
    ],
    ['a missing database', (url: URL) => (url.pathname = '/none'), 'P1003: Database `none` does not exist'],
    [
      'a server without TLS that is asked for TLS',
      (url: URL) => (url.search = '?sslmode=require'),
      'P1011: Error opening a TLS connection',
    ],
  ])('says what is wrong: %s', async (_, change, message) => {
    const url = new URL(database.url);
    const { password } = url;
    change(url);
    const { code, output } = await project.run('migrate status', { DATABASE_URL: url.href });
    expect(code).toBe(1);
    expect(output).toContain(message);
    expect(output).not.toContain(password);
  });

  it('says how to get one when neither DATABASE_URL nor the embedded PostgreSQL is there', async () => {
    const { code, output } = await project.run('migrate deploy');
    expect(code).toBe(1);
    expect(output).toMatch(/^No database: .* Run `npm run db` \(or `npm start`\), or set DATABASE_URL\.$/);
  });

  it('needs none to validate the schema and to write it as SQL', async () => {
    const [valid, diff] = await Promise.all([
      project.run('validate'),
      project.run('migrate diff --from-empty --to-schema prisma/schema.prisma --script'),
    ]);
    expect(valid).toMatchObject({ code: 0, output: expect.stringContaining('is valid') });
    expect(diff).toMatchObject({ code: 0, output: expect.stringContaining('CREATE TABLE "Device"') });
  });
});
