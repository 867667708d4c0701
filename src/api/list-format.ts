import { HttpException } from '@nestjs/common';
import Negotiator from 'negotiator';
import type { ProblemDocument } from './problem.js';

/** What a list can be answered as. */
export interface ListFormat {
  readonly name: 'json' | 'ndjson' | 'csv';
  /** The Content-Type of the answer. */
  readonly type: string;
  /** Of CSV: whether the names of the columns come first (RFC 4180, section 3). */
  readonly header: boolean;
}

/** The media types by which lists are asked for; the first one is the usual. */
export const JSON_TYPE = 'application/json';
export const NDJSON_TYPE = 'application/x-ndjson';
export const CSV_TYPE = 'text/csv';

const FORMATS: readonly ListFormat[] = [
  { name: 'json', type: `${JSON_TYPE}; charset=utf-8`, header: false },
  { name: 'ndjson', type: `${NDJSON_TYPE}; charset=utf-8`, header: false },
  { name: 'csv', type: `${CSV_TYPE}; charset=utf-8; header=present`, header: true },
  { name: 'csv', type: `${CSV_TYPE}; charset=utf-8; header=absent`, header: false },
];

/** None of the media types that a request accepts is one of a list. */
export class NotAcceptable extends HttpException {
  constructor(accept: string) {
    super(
      {
        type: 'urn:living-mirror:problem:not-acceptable',
        title: 'Not Acceptable',
        status: 406,
        detail: `Accept is ${JSON.stringify(accept.slice(0, 80))}: this list comes as ${JSON_TYPE}, ${NDJSON_TYPE} or ${CSV_TYPE}`,
        available: [JSON_TYPE, NDJSON_TYPE, CSV_TYPE],
      } satisfies ProblemDocument,
      406,
    );
  }
}

/**
 * The format that an Accept header wants most.
 * @throws NotAcceptable
 */
export function formatFor(accept: string | undefined): ListFormat {
  const [best] = new Negotiator({ headers: { accept: accept || '*/*' } }).mediaTypes(FORMATS.map(({ type }) => type));
  const format = FORMATS.find(({ type }) => type === best);
  if (format === undefined) throw new NotAcceptable(accept ?? '');
  return format;
}

/** Whether an Accept-Encoding header wants gzip. */
export function wantsGzip(acceptEncoding: string | undefined): boolean {
  const negotiator = new Negotiator({ headers: { 'accept-encoding': acceptEncoding ?? 'identity' } });
  return negotiator.encodings(['gzip', 'identity'])[0] === 'gzip';
}
