import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { lastValueFrom, type Observable, of } from 'rxjs';
import { askedBy, currentAsker } from '../storage/asker.js';
import { Exports } from './exports.js';
import type { ListAnswer } from './list-answer.js';
import { onePage, type RequestedList, wholeList } from './list-body.js';
import { formatFor, type ListFormat, wantsGzip } from './list-format.js';
import { type AskPage, MOST_ROWS, written, WrittenPage } from './list-pages.js';
import { LIST_ROUTE, type ListRoute, wantWriting } from './list-route.js';
import { BadParameters } from './problem.js';

type ListRequest = FastifyRequest<{ Querystring: Record<string, unknown> }>;

/** Nobody waits for a page of a whole list at a screen: it may take so many times longer than another question. */
const PATIENCE = 6;

/** As many items as a route answers at once in JSON. */
const MOST_ITEMS = 1000;

/**
 * Answers lists in the form that a request accepts. JSON, page by page, is what the routes answer. NDJSON and CSV are made by
 * asking the route for one page after the other, as its caller could: every check of parameters and every cursor is the route's.
 */
@Injectable()
export class ListFormats implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly exports: Exports,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const route = this.reflector.get<ListRoute>(LIST_ROUTE, context.getHandler());
    const request = context.switchToHttp().getRequest<ListRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    void reply.header('Vary', 'Accept');
    const format = formatFor(request.headers.accept);
    if (format.name === 'json') return next.handle();

    const limit = route.paged ? limitOf(request.query['limit']) : undefined;
    const columns = [...route.columns];
    const list: RequestedList = {
      path: request.url,
      format,
      columns,
      gzip: wantsGzip(request.headers['accept-encoding']),
      ask: pageOf(route, columns, format, request, next),
    };
    const body = limit === undefined ? await wholeList(list, this.exports, reply) : await onePage(list, limit, reply);
    void reply.header('Vary', 'Accept, Accept-Encoding').header('Content-Type', format.type);
    return of(body);
  }
}

/** Asks the route itself. The first page of an open list adds to the columns what its items have besides. */
function pageOf(
  route: ListRoute,
  columns: string[],
  format: ListFormat,
  request: ListRequest,
  next: CallHandler,
): AskPage {
  const asker = currentAsker();
  const form = format.name === 'csv' ? 'csv' : 'ndjson';
  return async (cursor, rows) => {
    if (route.paged) request.query['limit'] = String(Math.min(rows, MOST_ITEMS));
    if (cursor !== undefined) request.query['cursor'] = cursor;
    wantWriting(request, { format: form, rows });
    const ask = (): Promise<unknown> => lastValueFrom(next.handle());
    // Later pages are asked for by the stream, which knows nothing of the request.
    const page = await (asker ? askedBy({ ...asker, timeoutMs: asker.timeoutMs * PATIENCE }, ask) : ask());
    if (page instanceof WrittenPage) return page;
    const answer = page as ListAnswer<object>;
    if (route.open) columns.push(...new Set(answer.items.flatMap(Object.keys).filter((key) => !columns.includes(key))));
    return written(answer, form, columns);
  };
}

/** @throws BadParameters */
function limitOf(given: unknown): number | undefined {
  if (given === undefined) return undefined;
  const limit = typeof given === 'string' && /^\d{1,9}$/.test(given) ? Number(given) : NaN;
  if (limit >= 1 && limit <= MOST_ROWS) return limit;
  const detail = `must be a whole number from 1 to ${MOST_ROWS}; without it the whole list is sent`;
  throw new BadParameters([{ parameter: 'limit', detail }]);
}
