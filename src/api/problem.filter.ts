import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SinkUnavailable } from '../domain/event-sink.js';
import { Abandoned } from '../storage/asker.js';
import { QuestionTooLarge } from '../storage/snapshots.js';
import { exactJson } from './exact-json.js';
import { withValues } from './parameter-values.js';
import { PROBLEM_TYPE, plainProblem, type ProblemDocument } from './problem.js';

/** How soon to ask again while the database is away. */
const RETRY_AFTER_SECONDS = 5;

/** Nobody reads this; it is what nginx notes in such a case. */
const CALLER_GONE = 499;

const TOO_LARGE =
  'The database took longer than QUERY_TIMEOUT_MS allows: narrow the question (a shorter range from `from` to `to`, fewer ' +
  'devices, identifiers or filters that match little, a smaller `limit`), or have a whole list streamed with ' +
  '`Accept: text/csv` or `application/x-ndjson`, which asks for one small page after the other';

/** Answers every error as an RFC 9457 problem, without inner details. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const problem = withValues(problemOfError(error), host.switchToHttp().getRequest<FastifyRequest>());
    if (problem.status === 500) this.logger.error('Request failed', error);
    else if (problem.status > 500) this.logger.debug('Request refused', { status: problem.status, err: error });
    sendProblem(reply, problem);
  }
}

/** Sends a problem; for hooks and handlers that Nest's filters do not reach, too. */
export function sendProblem(reply: FastifyReply, problem: ProblemDocument): void {
  if (problem.status === 503) void reply.header('Retry-After', String(RETRY_AFTER_SECONDS));
  void reply.status(problem.status).header('Content-Type', PROBLEM_TYPE).serializer(String).send(exactJson(problem));
}

/** The problem that an error of ours, of Nest's or of Fastify's stands for. */
export function problemOfError(error: unknown): ProblemDocument {
  if (error instanceof SinkUnavailable) {
    return plainProblem(503, 'The database does not answer at the moment: try again later');
  }
  if (error instanceof QuestionTooLarge) {
    return {
      ...plainProblem(504, TOO_LARGE),
      type: 'urn:living-mirror:problem:question-too-large',
      title: 'Question too large',
    };
  }
  if (error instanceof Abandoned) return plainProblem(CALLER_GONE, 'The caller went away');
  if (error instanceof HttpException) {
    const body = error.getResponse();
    if (isProblem(body)) return body;
    return plainProblem(
      error.getStatus(),
      error.getStatus() < 500 ? error.message : 'Something went wrong on our side',
    );
  }
  const status = statusOf(error);
  if (status >= 400 && status < 500 && error instanceof Error) return plainProblem(status, error.message);
  return plainProblem(500, 'Something went wrong on our side');
}

function isProblem(body: unknown): body is ProblemDocument {
  return typeof body === 'object' && body !== null && 'type' in body && 'title' in body && 'detail' in body;
}

/** Fastify's own errors carry the status that they stand for. */
function statusOf(error: unknown): number {
  return typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : 500;
}
