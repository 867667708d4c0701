import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import type { UserReference } from '../storage/user-windows.js';
import { DeviceParams } from './device-params.js';
import { Text } from './parameters.js';
import { BadParameters } from './problem.js';

/** A question asked in the name of a user: only what lies within the time in which the device was theirs. */
export class UserScopeQuery {
  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({
    description:
      'Only what lies within the time in which this user (identityId) owned or shared the device. 404 when it never was theirs.',
  })
  readonly user?: string;

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ description: 'With `user`: only as a user of this tenant.' })
  readonly tenantId?: string;

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ description: 'With `user`: only as a user in this isolation scope.' })
  readonly scopeId?: string;
}

export class UserDeviceParams extends DeviceParams {
  @Text(256)
  @ApiProperty({ example: '50ebop9xxxxxxxxxxxxxxxxxxxxxxxxxxxxx7384' })
  readonly identityId!: string;
}

/**
 * The user in whose name a question is asked, if any.
 * @throws BadParameters
 */
export function userOf({ user, tenantId, scopeId }: UserScopeQuery): UserReference | undefined {
  if (user !== undefined) return { identityId: user, tenantId, scopeId };
  const alone = Object.entries({ tenantId, scopeId }).filter(([, value]) => value !== undefined);
  if (alone.length === 0) return undefined;
  throw new BadParameters(
    alone.map(([parameter]) => ({ parameter, detail: 'narrows `user` and needs it: give `user`, too' })),
  );
}
