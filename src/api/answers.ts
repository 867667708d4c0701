import { applyDecorators, HttpCode, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiOperation, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { ProblemSchema } from './schemas.js';

const MEANINGS = {
  400: 'A parameter is wrong; each wrong one is named.',
  401: 'The token is missing or wrong.',
  404: 'There is no such thing.',
  410: 'It was so long ago that it is not kept any more; the oldest moment that is, is named.',
  409: 'Several devices hold this iotId; `candidates` names them.',
  503: 'The database is away; `Retry-After` says when to ask again.',
} as const;

/** Says what a route answers, for readers of the code and of the OpenAPI description; problems 401 and 503 can come from any. */
export function Answers(
  sentence: string,
  schema: Type,
  problems: readonly (keyof typeof MEANINGS)[] = [],
  description?: string,
  success: 200 | 202 = 200,
): MethodDecorator {
  return applyDecorators(
    ApiOperation({ summary: sentence, description }),
    HttpCode(success),
    ApiResponse({ status: success, type: schema, description: sentence }),
    ApiExtraModels(ProblemSchema),
    ...([...problems, 401, 503] as const).map((status) =>
      ApiResponse({
        status,
        description: MEANINGS[status],
        content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemSchema) } } },
      }),
    ),
  );
}
