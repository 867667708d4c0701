import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { PrismaProject } from './prisma-cli.js';

jest.setTimeout(120_000);

describe('prisma migrate with our schema', () => {
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

  it('deploys on an empty database, and then has nothing left to do, not even after a day of new partitions', async () => {
    const deployed = await project.run('migrate deploy');
    expect(deployed).toMatchObject({ code: 0, output: expect.stringContaining('successfully applied') });

    const days = 'generate_series(3, 9) AS day';
    await query(database, `SELECT "partitions"."add_day"('SeenMessage', current_date + day) FROM ${days}`);
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
    const { rows } = await query(database, `SELECT datname FROM pg_database WHERE datname ~ 'shadow'`);
    expect(rows).toEqual([]);
  });
});

describe('prisma migrate with a migration that fails', () => {
  let database: TestDatabase;
  let project: PrismaProject;

  beforeAll(async () => {
    database = await freshDatabase({ migrated: false });
    project = new PrismaProject(database.url);
    project.startOver('model Note {\n  id Int @id\n}\n');
    project.writeMigration(
      '1_note',
      `CREATE TABLE "Note" (id int NOT NULL, CONSTRAINT "Note_pkey" PRIMARY KEY (id));
       CREATE FUNCTION answer() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM ';'; RETURN 42; END; $$;`,
    );
  });
  afterAll(async () => {
    project.remove();
    await database.drop();
  });

  it('applies what comes before it, function bodies with semicolons included, and names what failed and why', async () => {
    const sql = `-- one; two\nBEGIN;\nCREATE TABLE "Other" (id int);\n\nCREATE TABLE "Note" (\n  id int\n);\nCOMMIT;\n`;
    project.writeMigration('2_twice', sql);
    const { code, output } = await project.run('migrate deploy');
    expect(code).toBe(1);
    expect(output).toContain('P3018');
    expect(output).toContain('Migration name: 2_twice');
    expect(output).toContain('Database error code: 42P07');
    expect(output).toContain(
      'ERROR: relation "Note" already exists\n\nStatement: line 5\n  5 CREATE TABLE "Note" (\n  6   id int\n  7 );',
    );

    expect((await query(database, 'SELECT answer()')).rows).toEqual([{ answer: 42 }]);
    const history = 'SELECT migration_name, finished_at IS NOT NULL AS done FROM _prisma_migrations ORDER BY 1';
    expect((await query(database, history)).rows).toEqual([
      { migration_name: '1_note', done: true },
      { migration_name: '2_twice', done: false },
    ]);
  });

  it('says at which line it does not fit the ones before it', async () => {
    project.writeMigration('2_twice', 'SELECT 1;\nALTER TABLE "Note" ADD COLUMN "x" nothing;\n');
    const { code, output } = await project.run('migrate dev');
    expect(code).toBe(1);
    expect(output).toContain('P3006');
    expect(output).toContain('Migration `2_twice` failed to apply cleanly to the shadow database.');
    expect(output).toContain('ERROR: type "nothing" does not exist\n\nPosition: line 2');
  });
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

async function query(database: TestDatabase, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client(database.url);
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
