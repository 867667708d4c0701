import { describe, expect, it } from '@jest/globals';
import { SinkUnavailable } from '../domain/event-sink.js';
import type { PrismaService } from './prisma.service.js';
import { Snapshots } from './snapshots.js';

/** A look at a database whose client fails like this. */
function look(error: Error): Promise<unknown> {
  const prisma = { $transaction: () => Promise.reject(error) } as unknown as PrismaService;
  return new Snapshots(prisma).read(() => Promise.resolve('never asked'));
}

describe('a look at the database', () => {
  it.each([
    new Error('Connection terminated unexpectedly'),
    new Error('Client has encountered a connection error and is not queryable'),
    new Error('The database did not answer in time'),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }),
  ])('that loses its connection means that the database is away: %s', async (error) => {
    await expect(look(error)).rejects.toThrow(SinkUnavailable);
  });

  it('that fails by a mistake of ours says so', async () => {
    const mistake = new TypeError('row is undefined');
    await expect(look(mistake)).rejects.toBe(mistake);
  });
});
