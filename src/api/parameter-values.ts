import type { FastifyRequest } from 'fastify';
import type { ParameterProblem, ProblemDocument } from './problem.js';

/** What is wrong with a parameter that nobody knows. Its value is not repeated: it may be a secret at the wrong place. */
export const UNKNOWN_PARAMETER = 'is not a parameter of this request';

const SHOWN_CHARACTERS = 80;

/** The same problem with the value that each parameter it names has in the request. */
export function withValues(problem: ProblemDocument, request: FastifyRequest): ProblemDocument {
  if (problem.errors === undefined) return problem;
  const errors = problem.errors.map((error) => withValue(error, request));
  return { ...problem, detail: errors.map(sentence).join('; '), errors };
}

function withValue(error: ParameterProblem, request: FastifyRequest): ParameterProblem {
  if (error.detail === UNKNOWN_PARAMETER || error.value !== undefined) return error;
  const value = given(error.parameter, request);
  return value === undefined ? error : { ...error, value: shortened(value) };
}

function given(parameter: string, { query, params, body }: FastifyRequest): unknown {
  const part = [query, params, body].find(
    (each) => typeof each === 'object' && each !== null && Object.hasOwn(each, parameter),
  );
  return (part as Readonly<Record<string, unknown>> | undefined)?.[parameter];
}

function shortened(value: unknown): string {
  const characters = [...(typeof value === 'string' ? value : JSON.stringify(value))];
  return characters.length > SHOWN_CHARACTERS
    ? `${characters.slice(0, SHOWN_CHARACTERS).join('')}…`
    : characters.join('');
}

function sentence({ parameter, value, detail }: ParameterProblem): string {
  return value === undefined ? `${parameter} ${detail}` : `${parameter} ${JSON.stringify(value)} ${detail}`;
}
