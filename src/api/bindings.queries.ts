import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import type { BindingMoment } from '../storage/binding.reader.js';
import { Flag, Text, Time } from './parameters.js';
import { BadParameters } from './problem.js';
import { PageQuery, rangeOf } from './queries.js';

const time = (description: string) =>
  ApiPropertyOptional({
    type: 'string',
    description: `${description} RFC 3339 or epoch milliseconds.`,
    example: '2026-11-22T07:00:00.000Z',
  });

export class BindingsQuery extends PageQuery {
  @IsOptional()
  @Time()
  @time('Those that held at this time, instead of now.')
  readonly at?: Date;

  @IsOptional()
  @Time()
  @time('Those that held at some time from this one on, instead of now.')
  readonly from?: Date;

  @IsOptional()
  @Time()
  @time('Those that held at some time before this one, instead of now.')
  readonly to?: Date;

  @IsOptional()
  @Flag()
  @ApiPropertyOptional({ type: 'boolean', default: false, description: 'All that ever were.' })
  readonly history: boolean = false;

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ description: 'Only of users of this tenant.' })
  readonly tenantId?: string;

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ description: 'Only of users in this isolation scope.' })
  readonly scopeId?: string;
}

export class UserDevicesQuery extends BindingsQuery {
  @IsOptional()
  @Flag()
  @ApiPropertyOptional({ type: 'boolean', default: false, description: 'Show deleted devices, too.' })
  readonly deleted: boolean = false;
}

/** Which bindings are asked for. @throws BadParameters when they are asked for in two ways. */
export function momentOf({ at, from, to, history }: BindingsQuery): BindingMoment {
  if (at && history) throw apart('history=true');
  if (at && (from || to)) throw apart('`from` and `to`');
  if (at) return at;
  if (from || to) {
    const range = rangeOf({ from, to, order: 'desc' });
    return { from: range.from, to: range.to };
  }
  return history ? 'ever' : 'now';
}

function apart(what: string): BadParameters {
  return new BadParameters([{ parameter: 'at', detail: `cannot be given together with ${what}` }]);
}
