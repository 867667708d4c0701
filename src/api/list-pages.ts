import { csvRecord } from './csv.js';
import { exactJson } from './exact-json.js';
import type { ListAnswer } from './list-answer.js';

/** A page of a list as text. */
export class WrittenPage {
  constructor(
    readonly text: string,
    readonly rows: number,
    /** Cursor of the next page, or null. */
    readonly next: string | null,
  ) {}
}

/** Asks for the page at a cursor, or at the one of the request, with at most so many rows. */
export type AskPage = (cursor: string | undefined, rows: number) => Promise<WrittenPage>;

/** How much text a page should have: enough to be worth a question, and little beside the memory of the process. */
const PAGE_CHARACTERS = 1024 * 1024;
const FIRST_ROWS = 100;
/** As many rows as a page has at most, whoever reads it; a route may give fewer. */
export const MOST_ROWS = 10_000;

/** The items of an answer as lines of NDJSON or records of CSV. */
export function written(
  { items, next }: ListAnswer<unknown>,
  format: 'ndjson' | 'csv',
  columns: readonly string[],
): WrittenPage {
  const line =
    format === 'ndjson'
      ? (item: unknown) => `${exactJson(item)}\n`
      : (item: unknown) => csvRecord(columns.map((column) => (item as Readonly<Record<string, unknown>>)[column]));
  return new WrittenPage(items.map(line).join(''), items.length, next);
}

/**
 * All pages of a list from a cursor on, one read ahead. Each is a question of its own: no snapshot is held for as long as the
 * caller takes to read. The size of pages follows that of their rows.
 */
export async function* pagesFrom(ask: AskPage): AsyncGenerator<WrittenPage, void, void> {
  let rows = FIRST_ROWS;
  let coming: Promise<WrittenPage> | null = ask(undefined, rows);
  while (coming !== null) {
    const page: WrittenPage = await coming;
    rows = rowsAfter(page, rows);
    coming = page.next === null ? null : ask(page.next, rows);
    coming?.catch(() => undefined); // whoever stops reading does not wait for it; everybody else does
    yield page;
  }
}

/** How many rows of about this size make a page. */
export function rowsAfter({ text, rows }: WrittenPage, asked: number): number {
  const fitting = rows === 0 ? asked : Math.floor((PAGE_CHARACTERS * rows) / Math.max(text.length, 1));
  return Math.min(MOST_ROWS, Math.max(1, Math.min(fitting, asked * 10)));
}
