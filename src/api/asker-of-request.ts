import type { FastifyReply, FastifyRequest } from 'fastify';
import { askedBy } from '../storage/asker.js';

/** Goes on with a request in the name of its caller: what it asks of the database is cancelled when that one goes away. */
export function askedByCaller(request: FastifyRequest, reply: FastifyReply, timeoutMs: number, goOn: () => void): void {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  askedBy({ signal: gone.signal, origin: request.ip, timeoutMs }, goOn);
}
