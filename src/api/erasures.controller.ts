import { Controller, Delete, Get, NotFoundException, Param, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ErasureRunner } from '../storage/erasure-runner.js';
import { ErasureReader, type ErasureView } from '../storage/erasure.reader.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import { ErasureParams, NarrowedUserQuery } from './erasures.queries.js';
import { ErasureList, ErasureSchema } from './erasures.schemas.js';
import type { ListAnswer } from './list-answer.js';
import { NoQuery, PageQuery, UserParams } from './queries.js';

const cursors = new Cursors('erasures', 'time', 'uuid');

/** Users who asked to be forgotten. */
@ApiTags('privacy')
@Controller('v1')
export class ErasuresController {
  constructor(
    private readonly erasures: ErasureRunner,
    private readonly receipts: ErasureReader,
  ) {}

  @Delete('users/:identityId')
  @Answers(
    'Erases a user, everywhere the identity was kept, for good',
    ErasureSchema,
    [400],
    'From this answer on nothing told before can bring the user back, also when it is delivered or replayed again. What is ' +
      'stored goes in the background, also when the service is restarted; `Location` is where the receipt is. Whoever binds a ' +
      'device later is a user like any other.',
    202,
  )
  async erase(
    @Param() { identityId }: UserParams,
    @Query() { tenantId, scopeId }: NarrowedUserQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ErasureView> {
    const id = await this.erasures.start({ identityId, tenantId, scopeId });
    void reply.header('Location', `/v1/erasures/${id}`);
    return this.found(id);
  }

  @Get('erasures')
  @Answers('Erasures of users, the newest first', ErasureList, [400])
  async list(@Query() { limit, cursor }: PageQuery): Promise<ListAnswer<ErasureView>> {
    const { items, next } = await this.receipts.list({ limit, after: cursors.read(null, cursor) });
    return { items, next: cursors.write(null, next) };
  }

  @Get('erasures/:id')
  @Answers('The receipt of an erasure: how far it has come, and what it removed', ErasureSchema, [400, 404])
  async one(@Param() { id }: ErasureParams, @Query() _: NoQuery): Promise<ErasureView> {
    return this.found(id);
  }

  private async found(id: string): Promise<ErasureView> {
    const receipt = await this.receipts.find(id);
    if (!receipt) throw new NotFoundException(`There is no erasure ${id}`);
    return receipt;
  }
}
