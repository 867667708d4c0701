import { applyDecorators, HttpCode, type Type, UseInterceptors } from '@nestjs/common';
import { ApiExtraModels, ApiOperation, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { csvRecord } from './csv.js';
import { fieldsOf, type ListShape, shapeOf } from './list-columns.js';
import { CSV_TYPE, JSON_TYPE, NDJSON_TYPE } from './list-format.js';
import { ListFormats } from './list-formats.interceptor.js';
import { AnswersList } from './list-route.js';
import { ProblemSchema } from './schemas.js';

const MEANINGS = {
  400: 'A parameter is wrong; each wrong one is named.',
  401: 'The token is missing or wrong.',
  404: 'There is no such thing.',
  410: 'It was so long ago that it is not kept any more; the oldest moment that is, is named.',
  406: '`Accept` names nothing that this list comes as.',
  409: 'Several devices hold this iotId; `candidates` names them.',
  503: 'The database is away, or too many are asking; `Retry-After` says when to ask again.',
  504: 'The question is too large; the problem says how to narrow it or to have it streamed.',
} as const;

type Status = keyof typeof MEANINGS;

/**
 * Says what a route answers, for readers of the code and of the OpenAPI description; problems 401, 503 and 504 can come from any.
 * What is a list, `{ items, next }`, is answered as NDJSON and CSV, too.
 */
export function Answers(
  sentence: string,
  schema: Type,
  problems: readonly Status[] = [],
  description?: string,
  success: 200 | 202 = 200,
): MethodDecorator {
  const list = shapeOf(schema);
  const statuses: readonly Status[] = [...problems, ...(list ? ([406] as const) : []), 401, 503, 504];
  return applyDecorators(
    ApiOperation({
      summary: sentence,
      description: list ? [description, FORMATS].filter(Boolean).join('\n\n') : description,
    }),
    HttpCode(success),
    list
      ? inEveryFormat(sentence, schema, list)
      : ApiResponse({ status: success, type: schema, description: sentence }),
    ApiExtraModels(ProblemSchema),
    ...statuses.map((status) =>
      ApiResponse({
        status,
        description: MEANINGS[status],
        content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemSchema) } } },
      }),
    ),
  );
}

const FORMATS =
  'As `application/x-ndjson` or `text/csv` the whole list is streamed from the cursor on; with `limit` (then up to 10000) it is ' +
  'one page, whose headers `Next-Cursor` and `Link` say where the next one begins.';

function inEveryFormat(sentence: string, schema: Type, { item, columns }: ListShape): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(schema, item),
    ApiResponse({
      status: 200,
      description: sentence,
      headers: {
        'Next-Cursor': {
          description: 'Of a page of NDJSON or CSV: where the next one begins. Without it this is the end.',
          schema: { type: 'string' },
        },
      },
      content: {
        [JSON_TYPE]: { schema: { $ref: getSchemaPath(schema) } },
        [NDJSON_TYPE]: { schema: { $ref: getSchemaPath(item) } },
        [CSV_TYPE]: { schema: { type: 'string', example: csvRecord(columns) } },
      },
    }),
    (target: object, key: string | symbol, descriptor: PropertyDescriptor) => {
      AnswersList({ columns, paged: takesPages(target, key) })(target, key, descriptor);
    },
    UseInterceptors(ListFormats),
  );
}

/** Whether one of a method's parameters describes a cursor. */
function takesPages(target: object, key: string | symbol): boolean {
  const types: unknown = Reflect.getMetadata('design:paramtypes', target, key);
  return (
    Array.isArray(types) &&
    types.some((type) => typeof type === 'function' && fieldsOf(type as Type).includes('cursor'))
  );
}
