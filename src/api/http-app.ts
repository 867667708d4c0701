import { Logger, ValidationPipe, type ValidationError } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { Settings } from '../config/settings.js';
import { Metrics } from '../telemetry/metrics.js';
import { askedByCaller } from './asker-of-request.js';
import { bringsToken, challenge, isOpen } from './bearer-token.js';
import { answerUnchanged } from './entity-tag.js';
import { exactJson } from './exact-json.js';
import { serveDocs } from './docs.js';
import { UNKNOWN_PARAMETER } from './parameter-values.js';
import { BadParameters, type ParameterProblem, plainProblem } from './problem.js';
import { problemOfError, ProblemFilter, sendProblem } from './problem.filter.js';

/** The HTTP server under Nest, with limits for what comes in. */
export function httpAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: 16 * 1024, // no body of ours is more than a few filters
    requestTimeout: 30_000,
    http: { maxHeaderSize: 16 * 1024 }, // the address included
    // Names of devices in percent-encoded Chinese take nine characters each.
    routerOptions: { maxParamLength: 2048 },
    forceCloseConnections: 'idle',
    frameworkErrors: (error: unknown, _request: unknown, reply: FastifyReply) =>
      sendProblem(reply, problemOfError(error)),
  });
}

/** Everything that stands between the socket and the controllers. Call it before `listen`. */
export function configureHttp(app: NestFastifyApplication): void {
  const settings = app.get(Settings);
  const metrics = app.get(Metrics);
  const logger = new Logger('Http');
  const server = app.getHttpAdapter().getInstance();
  server.setReplySerializer(exactJson);
  server.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const token = settings.httpToken;
    if (token === undefined || isOpen(path) || bringsToken(request.headers.authorization, token, path)) return done();
    void reply.header('WWW-Authenticate', challenge(path));
    sendProblem(reply, plainProblem(401, 'Send the token of HTTP_TOKEN as "Authorization: Bearer …"'));
  });
  server.addHook('preHandler', (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
    const passedOver = Object.keys(request.query ?? {}).filter((name) => PASSED_OVER.has(name));
    if (passedOver.length > 0) return done(new BadParameters(passedOver.map(unknownParameter)));
    askedByCaller(request, reply, settings.queryTimeoutMs, done);
  });
  endSilentConnections(server);
  server.addHook('onSend', answerUnchanged);
  server.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    const seconds = reply.elapsedTime / 1000;
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: String(reply.statusCode),
    };
    metrics.httpRequests.observe(labels, seconds);
    logger.debug('Request answered', { ...labels, url: request.url, seconds });
    done();
  });
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalPipes(
    new ValidationPipe({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: false, // a route without parameters has a class without rules
      exceptionFactory: (errors) => new BadParameters(errors.map(parameterProblem)),
    }),
  );
  serveDocs(app);
}

/**
 * Clients open connections ahead of need. Node does not count those that nothing was ever sent on among the idle ones, and
 * closing would wait for them until their first request is overdue.
 */
function endSilentConnections(server: FastifyInstance): void {
  const open = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.addHook('preClose', (done: () => void) => {
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    done();
  });
}

/** Names that class-transformer drops in silence, where every other unknown parameter is refused. */
const PASSED_OVER: ReadonlySet<string> = new Set(['__proto__', 'constructor']);

function unknownParameter(parameter: string): ParameterProblem {
  return { parameter, detail: UNKNOWN_PARAMETER };
}

function parameterProblem({ property, constraints = {} }: ValidationError): ParameterProblem {
  if ('whitelistValidation' in constraints) return unknownParameter(property);
  const [detail = 'is not valid'] = Object.values(constraints);
  return { parameter: property, detail };
}
