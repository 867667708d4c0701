import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** What is known of the list that a route answers. */
export interface ListRoute {
  /** The columns of CSV. */
  readonly columns: readonly string[];
  /** Whether items may have further fields, which are told by the first page. */
  readonly open: boolean;
  /** Whether it has pages: takes `cursor` and `limit`. */
  readonly paged: boolean;
}

export const LIST_ROUTE = 'list-route';

/** Marks a route as one that answers a list. */
export const AnswersList = (route: ListRoute): MethodDecorator => SetMetadata(LIST_ROUTE, route);

/** The form in which a route may write its page itself, where the database does that faster. */
export interface Writing {
  readonly format: 'ndjson' | 'csv';
  /** How many rows at most: `limit` is meant for pages of JSON. */
  readonly rows: number;
}

const writings = new WeakMap<FastifyRequest, Writing>();

/** Wants the next page of a request in this form. */
export function wantWriting(request: FastifyRequest, writing: Writing): void {
  writings.set(request, writing);
}

/** Of a route that may answer a `WrittenPage`: in which form; null where items are wanted. */
export const AsText = createParamDecorator(
  (_: unknown, context: ExecutionContext): Writing | null =>
    writings.get(context.switchToHttp().getRequest<FastifyRequest>()) ?? null,
);
