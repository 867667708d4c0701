// Finds the statements of an SQL script, to say which one failed. Nothing is executed from this: scripts are sent whole.

/**
 * @typedef {{ text: string, line: number }} Statement its text without the semicolon, and the line it starts on, from 1
 */

// What a semicolon or a word inside of it does not count: comments, strings, quoted names, dollar-quoted bodies.
const OPAQUE = [
  /--[^\n]*/y,
  /[eE]'(?:[^'\\]|\\[^]|'')*'/y,
  /'(?:[^']|'')*'/y,
  /"(?:[^"]|"")*"/y,
  /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[^]*?\$\1\$/y,
];
const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const ROUTINE = /^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\b/i;

/**
 * The statements of a script in their order, comments inside of them included, empty ones left out as PostgreSQL does.
 * @param {string} script
 * @returns {Statement[]}
 */
export function statementsOf(script) {
  /** @type {Statement[]} */
  const statements = [];
  let first = -1; // where the current statement's first token starts, -1 before it
  let depth = 0; // of BEGIN ATOMIC ... END, whose semicolons are inside of one statement
  let parentheses = 0; // CREATE RULE ... DO (a; b)
  let at = 0;
  const close = () => {
    if (first >= 0) statements.push({ text: script.slice(first, at).trim(), line: lineAt(script, first) });
    first = -1;
    depth = 0;
    parentheses = 0;
  };
  while (at < script.length) {
    const character = script[at] ?? '';
    if (character === '/' && script[at + 1] === '*') {
      at = endOfBlockComment(script, at);
      continue;
    }
    const opaque = OPAQUE.map((pattern) => match(pattern, script, at)).find((text) => text !== undefined);
    if (opaque !== undefined) {
      if (first < 0 && !opaque.startsWith('--')) first = at;
      at += opaque.length;
      continue;
    }
    if (character === ';' && depth === 0 && parentheses === 0) {
      close();
      at += 1;
      continue;
    }
    if (first < 0 && /\S/.test(character)) first = at;
    if (character === '(') parentheses += 1;
    if (character === ')') parentheses -= 1;
    const word = match(WORD, script, at);
    if (word !== undefined && ROUTINE.test(script.slice(first, at))) {
      if (/^BEGIN$/i.test(word) || (depth > 0 && /^CASE$/i.test(word))) depth += 1;
      else if (depth > 0 && /^END$/i.test(word)) depth -= 1;
    }
    at += word?.length ?? 1;
  }
  close();
  return statements;
}

/**
 * The line, from 1, that an offset lies on.
 * @param {string} script
 * @param {number} offset
 */
export function lineAt(script, offset) {
  return script.slice(0, offset).split('\n').length;
}

/**
 * @param {RegExp} pattern sticky
 * @param {string} text
 * @param {number} at
 */
function match(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/**
 * Block comments nest in PostgreSQL.
 * @param {string} script
 * @param {number} start
 */
function endOfBlockComment(script, start) {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  let open = 0;
  for (let mark = marks.exec(script); mark; mark = marks.exec(script)) {
    open += mark[0] === '/*' ? 1 : -1;
    if (open === 0) return marks.lastIndex;
  }
  return script.length;
}
