import { createHash } from 'node:crypto';
import { BadParameters } from './problem.js';

const VERSION = 1;

/** What a part of a place must look like: a cursor comes from outside. */
const PARTS = {
  time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  uuid: /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/,
  int: /^\d{1,9}$/,
  text: /^[^\0]*$/,
} as const;

type Part = keyof typeof PARTS;
type PlaceOf<Parts extends readonly Part[]> = { readonly [Index in keyof Parts]: string };

/**
 * Cursors of one list: opaque to clients, good for the same question only. They hold a version, a mark of the question (route
 * and filters) and the place of the last item looked at.
 */
export class Cursors<const Parts extends readonly Part[]> {
  private readonly parts: Parts;

  constructor(
    private readonly list: string,
    ...parts: Parts
  ) {
    this.parts = parts;
  }

  write(question: unknown, place: PlaceOf<Parts> | null): string | null {
    if (place === null) return null;
    return Buffer.from(JSON.stringify([VERSION, this.mark(question), ...place])).toString('base64url');
  }

  /** @throws BadParameters naming `cursor` */
  read(question: unknown, cursor: string | undefined): PlaceOf<Parts> | null {
    if (cursor === undefined) return null;
    const parsed = parse(cursor);
    if (!Array.isArray(parsed) || parsed[0] !== VERSION || parsed.length !== this.parts.length + 2) {
      throw badCursor('is not a cursor of this list: use `next` of its answer as it is');
    }
    if (parsed[1] !== this.mark(question)) {
      throw badCursor('belongs to another question: begin again without it when filters or order change');
    }
    const place: unknown[] = parsed.slice(2);
    if (!place.every((part, index) => isPart(part, this.parts[index] ?? 'text'))) {
      throw badCursor('is not a cursor of this list: use `next` of its answer as it is');
    }
    return place as unknown as PlaceOf<Parts>;
  }

  private mark(question: unknown): string {
    return createHash('sha256')
      .update(JSON.stringify([this.list, question]))
      .digest('base64url')
      .slice(0, 8);
  }
}

function isPart(value: unknown, part: Part): boolean {
  if (typeof value !== 'string' || !PARTS[part].test(value)) return false;
  return part !== 'time' || !Number.isNaN(Date.parse(value));
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return null;
  }
}

function badCursor(detail: string): BadParameters {
  return new BadParameters([{ parameter: 'cursor', detail }]);
}
