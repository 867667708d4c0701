import { describe, expect, it } from '@jest/globals';
import { statementsOf } from '../../prisma/engine/sql-statements.mjs';

describe('statementsOf', () => {
  it.each([
    ['two statements', 'SELECT 1; SELECT 2', ['SELECT 1', 'SELECT 2']],
    ['empty ones', ';; SELECT 1;\n;', ['SELECT 1']],
    ['comments alone', '-- a; b\n/* c; /* d; */ e; */', []],
    ['a comment inside', 'SELECT -- 1;\n2;', ['SELECT -- 1;\n2']],
    ['quoted semicolons', `SELECT 'it''s;', "a;b"; SELECT 2`, [`SELECT 'it''s;', "a;b"`, 'SELECT 2']],
    [
      'an escaped quote',
      String.raw`SELECT E'\';'; SELECT '\'; SELECT 3`,
      [String.raw`SELECT E'\';'`, String.raw`SELECT '\'`, 'SELECT 3'],
    ],
    ['a dollar-quoted body', 'DO $a$ BEGIN; $$;$$ END; $a$; SELECT 2', ['DO $a$ BEGIN; $$;$$ END; $a$', 'SELECT 2']],
    [
      'a body in standard SQL',
      'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END; SELECT 3',
      ['CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END', 'SELECT 3'],
    ],
    ['a transaction', 'BEGIN; SELECT 1; END; SELECT 2', ['BEGIN', 'SELECT 1', 'END', 'SELECT 2']],
    [
      'a rule with two actions',
      'CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3',
      ['CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)', 'SELECT 3'],
    ],
    ['what is not closed', "SELECT 1; SELECT 'a;", ['SELECT 1', "SELECT 'a"]],
  ])('finds %s', (_, script, statements) => {
    expect(statementsOf(script).map(({ text }) => text)).toEqual(statements);
  });

  it('says on which line each begins', () => {
    expect(statementsOf('-- head\n\nSELECT 1;\n\nSELECT\n  2;').map(({ line }) => line)).toEqual([3, 5]);
  });
});
