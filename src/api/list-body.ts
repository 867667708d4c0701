import { Logger, StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import { Abandoned } from '../storage/asker.js';
import { csvRecord } from './csv.js';
import { type Exports, STALLED_MS } from './exports.js';
import type { ListFormat } from './list-format.js';
import { type AskPage, pagesFrom, type WrittenPage } from './list-pages.js';

/** A list as a request wants it. */
export interface RequestedList {
  /** The address that was asked, with its query. */
  readonly path: string;
  readonly format: ListFormat;
  readonly columns: readonly string[];
  readonly gzip: boolean;
  readonly ask: AskPage;
}

/** A page that is asked for is whole in memory before it goes out, so that its headers can tell where the next one begins. */
const PAGE_CHARACTERS = 8 * 1024 * 1024;

/** Rows of text: little work has most of the effect. */
const GZIP = { level: constants.Z_BEST_SPEED + 1 };

const zip = promisify(gzip);
const logger = new Logger('Exports');

/** At most `limit` rows, or fewer where they are large. `Next-Cursor` and `Link` say where it goes on; without them this is the end. */
export async function onePage(list: RequestedList, limit: number, reply: FastifyReply): Promise<StreamableFile> {
  let text = '';
  let left = limit;
  let next: string | null = null;
  do {
    const page: WrittenPage = await list.ask(next ?? undefined, left);
    text += page.text;
    left -= page.rows;
    next = page.next;
  } while (next !== null && left > 0 && text.length < PAGE_CHARACTERS);
  void reply.header('Row-Count', String(limit - left));
  if (next !== null)
    void reply.header('Next-Cursor', next).header('Link', `<${addressOf(list.path, next)}>; rel="next"`);
  const bytes = Buffer.from(heading(list) + text);
  const body = list.gzip ? await zip(bytes, GZIP) : bytes;
  if (list.gzip) void reply.header('Content-Encoding', 'gzip');
  return new StreamableFile(body, { length: body.length });
}

/** All rows from the cursor on. What goes wrong before the first of them is a problem; later, the connection breaks. */
export async function wholeList(list: RequestedList, exports: Exports, reply: FastifyReply): Promise<StreamableFile> {
  const place = exports.begin();
  const pages = pagesFrom(list.ask);
  const first = await pages.next().catch((error: unknown) => {
    place.end();
    throw error;
  });
  const text = Readable.from(textOf(heading(list), first, pages), { objectMode: false, highWaterMark: 1 });
  place.lastsAs(text);
  text.on('error', (error) => {
    if (!isLeaving(error)) logger.warn('Export broken off', { path: list.path, err: error });
  });
  reply.raw.setTimeout(STALLED_MS, () => place.breakOff('its caller does not read'));
  if (!list.gzip) return new StreamableFile(text);
  void reply.header('Content-Encoding', 'gzip');
  // Its own error ends the answer: a broken gzip is no gzip.
  return new StreamableFile(pipeline(text, createGzip(GZIP), () => undefined));
}

/** The caller has gone away, which is nobody's fault. */
function isLeaving(error: Error): boolean {
  return error instanceof Abandoned || ('code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE');
}

async function* textOf(
  heading: string,
  first: IteratorResult<WrittenPage, void>,
  pages: AsyncGenerator<WrittenPage, void, void>,
): AsyncGenerator<Buffer> {
  if (heading !== '') yield Buffer.from(heading);
  if (first.done) return;
  yield* nonEmpty(first.value);
  for await (const page of pages) yield* nonEmpty(page);
}

/** A page can have looked at much and found nothing. */
function* nonEmpty({ text }: WrittenPage): Generator<Buffer> {
  if (text !== '') yield Buffer.from(text);
}

function heading({ format, columns }: RequestedList): string {
  return format.header ? csvRecord(columns) : '';
}

/** The same question from another place on, as a reference that holds behind any proxy. */
function addressOf(path: string, cursor: string): string {
  const query = new URLSearchParams(path.split('?')[1] ?? '');
  query.set('cursor', cursor);
  return `?${query.toString()}`;
}
