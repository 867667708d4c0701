import { REST } from '../domain/retention.js';

/** The tables that are partitioned by month. */
export type MonthlyTable = 'PropertyReading' | 'EventLog' | 'ReadingRollup' | 'ReadingChunk';

/** A partition, as its name tells it. */
export interface Partition {
  readonly name: string;
  readonly table: MonthlyTable | 'SeenMessage';
  /** Of chunks: the product that they are of, or REST. */
  readonly product: string;
  /** When its time begins: null for what holds everything before 2015. */
  readonly begin: Date | null;
  /** When its time is over: that does not belong to it. */
  readonly end: Date;
}

const NAME =
  /^(?<table>PropertyReading|EventLog|ReadingRollup|SeenMessage|ReadingChunk)(?:_of_(?<product>[A-Za-z0-9]+))?_(?:before|(?<year>\d{4,})_(?<month>\d\d)(?:_(?<day>\d\d))?)$/;

/** What the name of a partition tells; null for a name that is none of ours. */
export function partitionNamed(name: string): Partition | null {
  const { table, product = REST, year, month, day } = NAME.exec(name)?.groups ?? {};
  if (table === undefined) return null;
  const bounds = year === undefined ? { begin: null, end: new Date(Date.UTC(2015, 0, 1)) } : boundsOf(year, month, day);
  return { name, table: table as Partition['table'], product, ...bounds };
}

function boundsOf(year: string, month: string | undefined, day: string | undefined): { begin: Date; end: Date } {
  const time = (months: number, days: number): Date =>
    new Date(Date.UTC(Number(year), Number(month) - 1 + months, days));
  return day === undefined
    ? { begin: time(0, 1), end: time(1, 1) }
    : { begin: time(0, Number(day)), end: time(0, Number(day) + 1) };
}

/** A day of a partition by month, by which functions and notes name its month: for what is before 2015, the last one. */
export function monthOf({ begin, end }: Pick<Partition, 'begin' | 'end'>): string {
  return (begin ?? new Date(end.getTime() - 1)).toISOString().slice(0, 8) + '01';
}
