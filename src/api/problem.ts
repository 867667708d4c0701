import { HttpException } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';

/** What is wrong with one parameter of a request. */
export interface ParameterProblem {
  readonly parameter: string;
  /** As it was given, shortened. */
  readonly value?: string;
  readonly detail: string;
  /** Where in its text, from 1. */
  readonly column?: number;
}

/** An RFC 9457 problem. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly ParameterProblem[];
  readonly candidates?: readonly string[];
  readonly available?: readonly string[];
}

/** The media type of every error. */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** A problem of which the status says everything (RFC 9457, 4.2.1). */
export function plainProblem(status: number, detail: string): ProblemDocument {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail };
}

/** Parameters of the request are wrong; each is named. */
export class BadParameters extends HttpException {
  constructor(errors: readonly ParameterProblem[]) {
    super(
      {
        type: 'urn:living-mirror:problem:bad-parameters',
        title: 'Bad parameters',
        status: 400,
        detail: errors.map(({ parameter, detail }) => `${parameter} ${detail}`).join('; '),
        errors,
      } satisfies ProblemDocument,
      400,
    );
  }
}

/** Several devices hold what should identify one; their names are given. */
export class AmbiguousDevice extends HttpException {
  constructor(iotId: string, candidates: readonly string[]) {
    super(
      {
        type: 'urn:living-mirror:problem:ambiguous-device',
        title: 'Ambiguous device',
        status: 409,
        detail: `Several devices hold the iotId ${iotId}: ask for one of them by productKey:deviceName`,
        candidates,
      } satisfies ProblemDocument,
      409,
    );
  }
}
