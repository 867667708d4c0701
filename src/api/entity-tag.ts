import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { map, type Observable } from 'rxjs';
import { JsonText } from '../storage/json-text.js';
import { exactJson } from './exact-json.js';

/**
 * Gives an answer an ETag: a hash of what it says. It is a weak one (RFC 9110, 8.8.1): whoever compresses the answer on its way
 * need not change it.
 */
@Injectable()
class Tags implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((answer: unknown) => {
        const text = exactJson(answer);
        const hash = createHash('sha256').update(text).digest('base64url').slice(0, 22);
        void reply.header('ETag', `W/"${hash}"`).header('Cache-Control', 'private, no-cache');
        return new JsonText(text);
      }),
    );
  }
}

/** A route whose answer is sent again only when it has changed. */
export function Tagged(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(Tags),
    ApiHeader({
      name: 'If-None-Match',
      required: false,
      description: '`ETag` of an answer that the caller has: 304 without a body when it would be the same.',
    }),
    ApiResponse({ status: 304, description: 'What the caller has is still true.' }),
  );
}

/** A hook of Fastify's: answers 304 without a body where the request has what it would get. */
export function answerUnchanged(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  const tag = reply.getHeader('ETag');
  const condition = request.headers['if-none-match'];
  if (typeof tag !== 'string' || condition === undefined || reply.statusCode !== 200 || !names(condition, tag)) {
    return done(null, payload);
  }
  void reply.code(304).removeHeader('Content-Type').removeHeader('Content-Length');
  done(null, null);
}

/** If-None-Match compares weakly: `W/"a"` and `"a"` are the same (RFC 9110, 13.1.2). */
function names(condition: string, tag: string): boolean {
  if (condition.trim() === '*') return true;
  return [...condition.matchAll(/(?:W\/)?("[^"]*")/g)].some(([, opaque]) => opaque === tag.replace(/^W\//, ''));
}
