import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { ProblemSchema } from './schemas.js';

const MEANINGS = {
  400: 'A parameter is wrong; each wrong one is named.',
  401: 'The token is missing or wrong.',
  404: 'There is no such thing.',
  409: 'Several devices hold this iotId; `candidates` names them.',
  503: 'The database is away.',
} as const;

/** Documents which problems a route can answer with; 401 and 503 can come from any. */
export function ApiProblems(...statuses: (keyof typeof MEANINGS)[]): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(ProblemSchema),
    ...([...statuses, 401, 503] as const).map((status) =>
      ApiResponse({
        status,
        description: MEANINGS[status],
        content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemSchema) } } },
      }),
    ),
  );
}
