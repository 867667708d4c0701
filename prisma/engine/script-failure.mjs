// What a person needs to know when a script fails: PostgreSQL's own words, the statement, and the line.

import { lineAt, statementsOf } from './sql-statements.mjs';

const LINES_BEFORE = 5;
const STATEMENT_LINES = 8;

/** A script that PostgreSQL refused, and where. */
export class ScriptFailure extends Error {
  /**
   * @param {string} script
   * @param {import('pg').DatabaseError} error
   * @param {number} done how many statements had been completed before
   */
  constructor(script, error, done) {
    super(describe(script, error, done), { cause: error });
    this.script = script;
    /** SQLSTATE, where PostgreSQL gave one. */
    this.sqlState = error.code ?? 'none';
  }
}

/**
 * @param {string} script
 * @param {import('pg').DatabaseError} error
 * @param {number} done
 */
function describe(script, error, done) {
  const said = [`${error.severity ?? 'ERROR'}: ${error.message}`];
  if (error.detail) said.push(`DETAIL: ${error.detail}`);
  if (error.hint) said.push(`HINT: ${error.hint}`);
  if (error.where) said.push(`WHERE: ${error.where}`);
  return [said.join('\n'), place(script, error, done)].filter((part) => part !== '').join('\n\n');
}

/**
 * @param {string} script
 * @param {import('pg').DatabaseError} error
 * @param {number} done
 */
function place(script, error, done) {
  const lines = script.split('\n');
  const statement = statementsOf(script)[done];
  if (error.position) {
    // PostgreSQL counts characters, a string here counts UTF-16 units.
    const offset = [...script].slice(0, Number(error.position) - 1).join('').length;
    const line = lineAt(script, offset);
    return `Position: line ${line}\n${numbered(lines, Math.max(1, line - LINES_BEFORE), line)}`;
  }
  // Most refusals of DDL ("already exists") come without a position, but after the statements that succeeded.
  if (statement === undefined) return '';
  const end = statement.line + statement.text.split('\n').length - 1;
  const shown = Math.min(end, statement.line + STATEMENT_LINES - 1);
  return `Statement: line ${statement.line}\n${numbered(lines, statement.line, shown)}${shown < end ? '\n    …' : ''}`;
}

/**
 * @param {string[]} lines
 * @param {number} from
 * @param {number} to
 */
function numbered(lines, from, to) {
  return lines
    .slice(from - 1, to)
    .map((line, index) => `${String(from + index).padStart(3)} ${line}`.trimEnd())
    .join('\n');
}
