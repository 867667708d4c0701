import { isLosslessNumber, LosslessNumber } from 'lossless-json';
import { like } from './like.js';
import { Spread, SQL_FUNCTIONS, type RuleMessage } from './sql-functions.js';
import { BadSql, parseSql, type SqlExpression, type SqlField } from './sql-grammar.js';
import { compare, isList, isRecord, SqlFailed, toNumber, toText, writeJson, type SqlValue } from './sql-value.js';
import { BadTopic, topicLevels } from './topic-filter.js';

/** Fields that a SELECT may have (protocol 11). */
const MAX_FIELDS = 50;

/** Gives the value of an expression for a message. Throws `SqlFailed`. */
type Evaluate = (message: RuleMessage) => SqlValue;

/** A statement that is ready to run. */
export interface Sql {
  /** Of the topic after FROM, see `topicLevels`. */
  readonly levels: readonly string[];
  /** What the message becomes; null when the condition does not hold, or needs fields of a body that is no JSON. */
  run(message: RuleMessage): string | Buffer | null;
}

/** Compiles a statement. Throws `BadSql`, which names the column. */
export function compileSql(text: string): Sql {
  const { fields, topic, topicOffset, where } = parseSql(text);
  const compiler = new Compiler(text);
  if (fields.length > MAX_FIELDS)
    throw compiler.wrong(`more than ${MAX_FIELDS} fields`, fields[MAX_FIELDS]?.offset ?? 0);
  const condition = where === null ? null : compiler.evaluation(where);
  const passes = fields.length === 1 && fields[0]?.expression.kind === 'star';
  const columns = passes ? [] : fields.map((field) => compiler.column(field));
  const needsJson = compiler.readsPayload || (!passes && fields.some(({ expression }) => expression.kind === 'star'));
  return {
    levels: compiler.levels(topic, topicOffset),
    run: (message) => {
      if (needsJson && (message.row === null || typeof message.row !== 'object')) return null;
      if (condition && !isTrue(condition(message))) return null;
      if (passes) return message.body;
      const result: [string, SqlValue][] = [];
      for (const column of columns) result.push(...column(message));
      return writeJson(Object.fromEntries(result));
    },
  };
}

class Compiler {
  readsPayload = false;
  private insideCase = false;

  constructor(private readonly text: string) {}

  wrong(problem: string, offset: number): BadSql {
    const before = this.text.slice(0, offset).split('\n');
    return new BadSql(problem, before.length, (before.at(-1)?.length ?? 0) + 1);
  }

  levels(topic: string, offset: number): readonly string[] {
    try {
      return topicLevels(topic);
    } catch (error) {
      throw error instanceof BadTopic ? this.wrong(error.message, offset) : error;
    }
  }

  /** What a field adds to the result. A field that the message does not have adds nothing. */
  column({ expression, name }: SqlField): (message: RuleMessage) => [string, SqlValue][] {
    if (expression.kind === 'star') return ({ row }) => (isRecord(row) ? Object.entries(row) : []);
    if (expression.kind === 'call') {
      const call = this.call(expression);
      return (message) => {
        const value = call(message);
        if (value instanceof Spread) return Object.entries(value.fields);
        return value === null ? [] : [[name, value]];
      };
    }
    if (expression.kind === 'path') {
      const { steps, list } = expression;
      this.readsPayload = true;
      return ({ row }) => {
        const value = lookUp(row, steps);
        return value === undefined ? [] : [[name, list ? [value] : value]];
      };
    }
    const evaluate = this.evaluation(expression);
    return (message) => [[name, evaluate(message)]];
  }

  evaluation(expression: SqlExpression): Evaluate {
    switch (expression.kind) {
      case 'literal': {
        const { value, digits } = expression;
        const kept = digits === undefined || String(value) === digits ? value : new LosslessNumber(digits);
        return () => kept;
      }
      case 'path': {
        const { steps, list } = expression;
        this.readsPayload = true;
        return ({ row }) => {
          const value = lookUp(row, steps) ?? null;
          return list && value !== null ? [value] : value;
        };
      }
      case 'call': {
        const call = this.call(expression);
        return (message) => {
          const value = call(message);
          if (value instanceof Spread) throw new SqlFailed(`${expression.name}() gives fields of a result, no value`);
          return value;
        };
      }
      case 'star':
        throw new BadSql('* stands alone or in to_base64(*) and to_hex(*)', 1, 1);
      case 'not': {
        const of = this.evaluation(expression.of);
        return (message) => not(truth(of(message)));
      }
      case 'negative': {
        const of = this.evaluation(expression.of);
        return (message) => arithmetic('-', 0, of(message));
      }
      case 'null': {
        const of = this.evaluation(expression.of);
        return (message) => of(message) === null;
      }
      case 'like': {
        const [of, pattern] = [this.evaluation(expression.of), this.evaluation(expression.pattern)];
        return (message) => {
          const [value, form] = [of(message), pattern(message)];
          return value === null || form === null ? null : like(toText(value), toText(form));
        };
      }
      case 'in': {
        const of = this.evaluation(expression.of);
        const among = expression.among.map((each) => this.evaluation(each));
        return (message) => {
          const value = of(message);
          return value === null ? null : among.some((each) => equal(value, each(message)));
        };
      }
      case 'case':
        return this.caseOf(expression);
      case 'binary':
        return this.binary(expression);
      default:
        return expression satisfies never;
    }
  }

  private call({ name, args, offset }: SqlExpression & { kind: 'call' }): (message: RuleMessage) => SqlValue | Spread {
    const known = SQL_FUNCTIONS.get(name);
    if (!known) {
      const near = [...SQL_FUNCTIONS.keys()].find((each) => each.toLowerCase() === name.toLowerCase());
      throw this.wrong(`no function ${name}${near === undefined ? '' : `; it is written ${near}`}`, offset);
    }
    if (args.length < known.min || args.length > known.max) {
      const expected = known.min === known.max ? String(known.min) : `${known.min} to ${known.max}`;
      throw this.wrong(`${name} takes ${expected} argument${expected === '1' ? '' : 's'}, not ${args.length}`, offset);
    }
    const isStar = args[0]?.kind === 'star';
    if (isStar !== (known.star ?? false)) {
      throw this.wrong(isStar ? `${name} does not take *` : `${name} takes * and nothing else`, offset);
    }
    if (name === 'thingPropertyFlatMap') this.readsPayload = true;
    const values = isStar ? [] : args.map((arg) => this.evaluation(arg));
    return (message) => {
      return known.call(
        message,
        values.map((value) => value(message)),
      );
    };
  }

  private caseOf({ of, branches, otherwise }: SqlExpression & { kind: 'case' }): Evaluate {
    if (this.insideCase) throw new BadSql('a CASE within a CASE, which the platform does not take', 1, 1);
    this.insideCase = true;
    const subject = of === null ? null : this.evaluation(of);
    const compiled = branches.map(({ when, then }) => [this.evaluation(when), this.evaluation(then)] as const);
    const last = otherwise === null ? null : this.evaluation(otherwise);
    this.insideCase = false;
    return (message) => {
      const value = subject?.(message) ?? null;
      for (const [when, then] of compiled) {
        if (subject ? equal(value, when(message)) : isTrue(when(message))) return then(message);
      }
      return last?.(message) ?? null;
    };
  }

  private binary({ operator, left, right }: SqlExpression & { kind: 'binary' }): Evaluate {
    const [first, second] = [this.evaluation(left), this.evaluation(right)];
    switch (operator) {
      case 'and':
        return (message) => {
          const a = truth(first(message));
          if (a === false) return false;
          const b = truth(second(message));
          return b === false ? false : a === null || b === null ? null : true;
        };
      case 'or':
        return (message) => {
          const a = truth(first(message));
          if (a === true) return true;
          const b = truth(second(message));
          return b === true ? true : a === null || b === null ? null : false;
        };
      case '=':
      case '<>':
        return (message) => {
          const [a, b] = [first(message), second(message)];
          return a === null || b === null ? null : equal(a, b) === (operator === '=');
        };
      case '<':
      case '<=':
      case '>':
      case '>=':
        return (message) => {
          const order = compare(first(message), second(message));
          if (order === null) return null;
          return { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator];
        };
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        return (message) => arithmetic(operator, first(message), second(message));
      default:
        return operator satisfies never;
    }
  }
}

/** True, false, or null for what is neither: a condition that is unknown does not hold. */
function truth(value: SqlValue): boolean | null {
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'string') return value.toLowerCase() === 'true';
  const number = toNumber(value);
  return number === null ? null : number !== 0;
}

const isTrue = (value: SqlValue): boolean => truth(value) === true;
const not = (value: boolean | null): boolean | null => (value === null ? null : !value);

function equal(a: SqlValue, b: SqlValue): boolean {
  if (isList(a) || isRecord(a) || isList(b) || isRecord(b)) return writeJson(a) === writeJson(b);
  return a !== null && b !== null && compare(a, b) === 0;
}

function arithmetic(operator: '+' | '-' | '*' | '/' | '%', a: SqlValue, b: SqlValue): SqlValue {
  if (a === null || b === null) return null;
  const [left, right] = [toNumber(a), toNumber(b)];
  if (left === null || right === null) {
    throw new SqlFailed(`${operator} takes numbers, not ${JSON.stringify(toText(left === null ? a : b)).slice(0, 60)}`);
  }
  const exact = operator === '/' ? null : wholeResult(operator, toText(a), toText(b));
  if (exact !== null) return exact;
  const results = { '+': left + right, '-': left - right, '*': left * right, '/': left / right, '%': left % right };
  const result = results[operator];
  return Number.isFinite(result) ? result : null;
}

/** Whole numbers keep all their digits. */
function wholeResult(operator: '+' | '-' | '*' | '%', a: string, b: string): SqlValue {
  const whole = /^-?\d{1,100}$/;
  if (!whole.test(a) || !whole.test(b)) return null;
  const [left, right] = [BigInt(a), BigInt(b)];
  if (operator === '%') return right === 0n ? null : number(left % right);
  return number({ '+': left + right, '-': left - right, '*': left * right }[operator]);
}

function number(value: bigint): SqlValue {
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : new LosslessNumber(value.toString());
}

/** The part of a body at a path; undefined where there is none. */
function lookUp(row: SqlValue, steps: readonly (string | number)[]): SqlValue | undefined {
  let at: SqlValue | undefined = row;
  for (const step of steps) {
    if (at === undefined || at === null || typeof at !== 'object' || isLosslessNumber(at)) return undefined;
    if (typeof step === 'number') at = isList(at) ? at[step] : undefined;
    else at = isRecord(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }
  return at;
}
