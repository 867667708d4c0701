import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

/** A field of a request that is wrong, and why. */
export interface WrongField {
  /** Path in the body (`params.brightness`), or the name of a query parameter. */
  readonly field: string;
  readonly message: string;
}

/** A request that cannot be done. What the caller reads is RFC 9457 problem+json. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly status: number,
    readonly detail: string,
    readonly fields: readonly WrongField[] = [],
  ) {
    super(detail);
  }
}

export function sendProblem(reply: FastifyReply, { status, detail, fields }: Problem): FastifyReply {
  const title = STATUS_CODES[status] ?? 'Error';
  const errors = fields.length > 0 ? { errors: fields } : {};
  return reply
    .code(status)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify({ type: 'about:blank', title, status, detail, ...errors }));
}

/** What a schema makes of an input. Throws a `Problem` that names every wrong field. */
export function checked<S extends z.ZodType>(schema: S, input: unknown, what: 'body' | 'query'): z.infer<S> {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const fields = result.error.issues.flatMap((issue) => {
    // An unknown key is reported at the object that holds it.
    const names = issue.code === 'unrecognized_keys' ? issue.keys : [];
    const paths = names.length > 0 ? names.map((name) => [...issue.path, name]) : [issue.path];
    return paths.map((path) => ({
      field: path.map(String).join('.') || what,
      message: names.length > 0 ? 'is not known' : issue.message,
    }));
  });
  throw new Problem(
    400,
    `The ${what} is not valid: ${fields.map(({ field, message }) => `${field}: ${message}`).join('; ')}`,
    fields,
  );
}
