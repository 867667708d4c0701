import type {
  ComparisonOperator,
  FilterAttribute,
  FilterExpression,
  FilterField,
  FilterValue,
} from '../domain/filter-expression.js';
import type { Parameters } from './read-columns.js';

/**
 * A filter as a boolean SQL expression over a row `device` of "Device": true or false, never null, and the same that
 * `domain/filter-match.ts` says of the device in memory.
 */
export function filterSql(filter: FilterExpression, parameters: Parameters, device = 'd'): string {
  return new FilterSql(parameters, device).expression(filter);
}

const OPERATORS: Record<Exclude<ComparisonOperator, 'ne'>, string> = { eq: '=', gt: '>', ge: '>=', lt: '<', le: '<=' };

/** Operators that a range of an index can answer. */
export type Order = keyof typeof OPERATORS;
type Typed = Exclude<FilterValue, { type: 'null' }>;

/** Makes of a value's SQL a condition on it; null stands for false. */
export type Condition = (operand: Operand) => string;

/** A value in SQL: a column, or JSON that may hold anything. `number` is where a number is kept beside the JSON. */
export type Operand =
  | { readonly kind: 'column'; readonly sql: string }
  | { readonly kind: 'json'; readonly sql: string; readonly number: string | null };

/** Conditions of a filter in SQL. */
export class FilterSql {
  constructor(
    private readonly parameters: Parameters,
    private readonly device = 'd',
  ) {}

  expression(filter: FilterExpression): string {
    switch (filter.kind) {
      case 'and':
        return `(${filter.parts.map((part) => this.expression(part)).join(' AND ')})`;
      case 'or':
        return `(${filter.parts.map((part) => this.expression(part)).join(' OR ')})`;
      case 'not':
        return `NOT ${this.expression(filter.part)}`;
      case 'exists':
        return this.any(filter.field, present);
      case 'compare': {
        const { field, operator, value } = filter;
        if (operator === 'ne') return `NOT ${this.equals(field, [value])}`;
        if (operator === 'eq') return this.equals(field, [value]);
        if (value.type === 'null') return 'FALSE';
        return this.any(field, this.compared(operator, value));
      }
      case 'in':
        return this.equals(filter.field, filter.values);
      case 'text':
        return this.any(filter.field, this.text(filter.operator, filter.text));
      default:
        return filter satisfies never;
    }
  }

  private equals(field: FilterField, values: readonly FilterValue[]): string {
    const typed = values.filter((value) => value.type !== 'null');
    const alternatives: string[] = [];
    if (typed.length > 0) {
      const conditions = typed.map((value) => this.compared('eq', value));
      alternatives.push(this.any(field, (operand) => `(${conditions.map((each) => each(operand)).join(' OR ')})`));
    }
    if (typed.length < values.length) alternatives.push(`NOT ${this.any(field, present)}`);
    return `(${alternatives.join(' OR ')})`;
  }

  /** Whether any value of the field fulfils a condition. */
  private any(field: FilterField, condition: Condition): string {
    switch (field.kind) {
      case 'attribute':
        return this.attribute(field.name, condition);
      case 'tag':
        return this.row('DeviceTag', `t."key" = ${this.parameters.add(field.key, 'text')}`, condition, {
          kind: 'column',
          sql: 't."value"',
        });
      case 'state': {
        const operand = this.valueOf(field.path);
        const which = `t."identifier" = ${this.parameters.add(field.identifier, 'text')} AND t."at" IS NOT NULL`;
        return this.row('DeviceProperty', which, condition, operand);
      }
      default:
        return field satisfies never;
    }
  }

  /** The value of a property, or what is inside of it, in a row `t` of "DeviceProperty". */
  valueOf(path: readonly string[]): Operand {
    if (path.length === 0) return { kind: 'json', sql: 't."json"', number: 't."number"' };
    const steps = path.map((step) => ` -> ${this.parameters.add(step, 'text')}`);
    return { kind: 'json', sql: `(t."json"${steps.join('')})`, number: null };
  }

  private attribute(name: FilterAttribute, condition: Condition): string {
    const { device } = this;
    if (name === 'owner') {
      const now = 't."bound" AND t."owned" AND t."until" IS NULL';
      return this.row('UserBinding', now, condition, { kind: 'column', sql: 't."identityId"' });
    }
    const sql = attributeSql(name, device);
    return `(${sql} IS NOT NULL AND ${condition({ kind: 'column', sql })})`;
  }

  /** OFFSET keeps the planner from joining whole tables: this is asked of one device after the other. */
  private row(table: string, which: string, condition: Condition, operand: Operand): string {
    return `EXISTS (SELECT FROM "${table}" t WHERE t."deviceId" = ${this.device}."id" AND ${which} AND ${condition(operand)} OFFSET 0)`;
  }

  compared(operator: Order, value: Typed): Condition {
    const { parameters } = this;
    const sign = OPERATORS[operator];
    switch (value.type) {
      case 'text': {
        const text = parameters.add(value.text, 'text');
        const collation = operator === 'eq' ? '' : ' COLLATE "C"';
        return (operand) => ofText(operand, (sql) => `${sql}${collation} ${sign} ${text}`);
      }
      case 'number': {
        const number = parameters.add(value.text, 'numeric');
        return (operand) => ofNumber(operand, (sql) => `${sql} ${sign} ${number}`);
      }
      case 'boolean': {
        const boolean = value.value ? 'TRUE' : 'FALSE';
        return (operand) =>
          operand.kind === 'column'
            ? `${operand.sql} = ${boolean}`
            : `${operand.sql} = '${boolean.toLowerCase()}'::jsonb`;
      }
      case 'time': {
        const time = parameters.add(instantText(value.epochMs), 'timestamptz');
        return (operand) => (operand.kind === 'column' ? `${operand.sql} ${sign} ${time}` : 'FALSE');
      }
      default:
        return value satisfies never;
    }
  }

  text(operator: 'contains' | 'startsWith' | 'endsWith', text: string): Condition {
    const part = this.parameters.add(text, 'text');
    const tests = {
      contains: (sql: string) => `strpos(${sql}, ${part}) > 0`,
      startsWith: (sql: string) => `starts_with(${sql}, ${part})`,
      endsWith: (sql: string) => `right(${sql}, length(${part})) = ${part}`,
    };
    return (operand) => ofText(operand, tests[operator]);
  }
}

/** An attribute that is a column, or two. */
export function attributeSql(name: Exclude<FilterAttribute, 'owner'>, device: string): string {
  return name === 'gateway'
    ? `(${device}."gatewayProductKey" || ':' || ${device}."gatewayDeviceName")`
    : `${device}."${name}"`;
}

export function present(operand: Operand): string {
  if (operand.kind === 'column') return `${operand.sql} IS NOT NULL`;
  const other = `${operand.sql} <> 'null'::jsonb`;
  return operand.number === null ? other : `(${operand.number} IS NOT NULL OR ${other})`;
}

function ofText({ kind, sql }: Operand, test: (sql: string) => string): string {
  if (kind === 'column') return test(sql);
  return `CASE WHEN jsonb_typeof(${sql}) = 'string' THEN ${test(`(${sql} #>> '{}')`)} END`;
}

function ofNumber(operand: Operand, test: (sql: string) => string): string {
  if (operand.kind === 'column') return 'FALSE';
  if (operand.number !== null) return test(operand.number);
  return `CASE WHEN jsonb_typeof(${operand.sql}) = 'number' THEN ${test(`${operand.sql}::numeric`)} END`;
}

/** Halves of milliseconds included, which a Date would drop. */
export function instantText(epochMs: number): string {
  const whole = Math.floor(epochMs);
  const micros = Math.round((epochMs - whole) * 1000);
  return new Date(whole).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}
