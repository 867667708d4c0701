import { describe, expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { UNKNOWN_PARAMETER, withValues } from './parameter-values.js';
import { BadParameters, type ProblemDocument } from './problem.js';

const problemOf = (parameter: string, detail: string): ProblemDocument =>
  new BadParameters([{ parameter, detail }]).getResponse() as ProblemDocument;
const request = (parts: object): FastifyRequest =>
  ({ query: {}, params: {}, body: undefined, ...parts }) as FastifyRequest;

describe('a problem with a parameter', () => {
  it.each<[string, object, string]>([
    ['of the query', { query: { limit: '0' } }, '0'],
    ['of the path', { params: { limit: 'a:b' } }, 'a:b'],
    ['of the body', { body: { limit: 7 } }, '7'],
    ['given twice', { query: { limit: ['1', '2'] } }, '["1","2"]'],
    ['that is long', { query: { limit: '门'.repeat(100) } }, `${'门'.repeat(80)}…`],
  ])('%s tells its value', (_, parts, value) => {
    expect(withValues(problemOf('limit', 'must be less'), request(parts))).toMatchObject({
      detail: `limit ${JSON.stringify(value)} must be less`,
      errors: [{ parameter: 'limit', value, detail: 'must be less' }],
    });
  });

  it.each<[string, string, object]>([
    ['that is missing', 'limit', {}],
    ['called like a method', 'toString', {}],
    ['called like the prototype', '__proto__', {}],
  ])('%s has no value', (_, parameter, parts) => {
    expect(withValues(problemOf(parameter, 'must be less'), request(parts))).toMatchObject({
      detail: `${parameter} must be less`,
      errors: [{ parameter, detail: 'must be less' }],
    });
  });

  it('does not repeat what was given under a name that nobody knows', () => {
    const problem = withValues(problemOf('token', UNKNOWN_PARAMETER), request({ query: { token: 's3cret' } }));
    expect(JSON.stringify(problem)).not.toContain('s3cret');
  });
});
