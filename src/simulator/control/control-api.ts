import { createHash, timingSafeEqual } from 'node:crypto';
import fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import { PortUnavailable } from '../port-unavailable.js';
import type { Log } from '../log.js';
import type { ControlTarget } from './control-target.js';
import { History } from './history.js';
import { isLoopback } from './loopback.js';
import { PAGE_PATHS, servePage } from './page.js';
import { Problem, sendProblem } from './problem.js';
import { addRoutes } from './routes.js';

export interface ControlOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Asked for as a bearer token on every route but the page; null asks for none, on loopback only. */
  readonly token: string | null;
}

/** The control API would be open to a network without a token. */
export class ControlTokenMissing extends Error {
  override readonly name = 'ControlTokenMissing';
}

/** Largest body of a request, in bytes: a message of 256 KiB fits in as Base64, and a scenario. */
const MAX_BODY_BYTES = 1_024 * 1_024;

/** The JSON routes under /v1, and the page that uses them. */
export class ControlApi {
  private readonly server: FastifyInstance;
  private readonly history: History;

  constructor(
    private readonly options: ControlOptions,
    target: ControlTarget,
    log: Log,
  ) {
    const { host, token } = options;
    if (token === null && !isLoopback(host)) {
      throw new ControlTokenMissing(
        `The control API may not listen on ${host} without a token. Set SIMULATOR_CONTROL_TOKEN, or SIMULATOR_CONTROL_HOST to 127.0.0.1.`,
      );
    }
    this.history = new History(target.groups);
    this.server = fastify({
      bodyLimit: MAX_BODY_BYTES,
      forceCloseConnections: true,
      routerOptions: { maxParamLength: 512 },
    });
    this.server.removeContentTypeParser('text/plain');
    this.server.addContentTypeParser(
      ['application/yaml', 'application/x-yaml', 'text/yaml'],
      { parseAs: 'string' },
      (_request, body, done) => done(null, body),
    );
    this.server.addHook('onRequest', (request, _reply, done) => {
      done(refusal(request, host, token) ?? undefined);
    });
    this.server.setNotFoundHandler((request, reply) =>
      sendProblem(reply, new Problem(404, `There is no ${request.method} ${request.url.split('?')[0] ?? ''}`)),
    );
    this.server.setErrorHandler((error: FastifyError | Problem, _request, reply) => {
      if (error instanceof Problem) {
        if (error.status === 401) void reply.header('www-authenticate', 'Bearer');
        return sendProblem(reply, error);
      }
      // Of fastify's own, such as a body that is no JSON or too large.
      if (error.statusCode !== undefined && error.statusCode < 500) {
        return sendProblem(reply, new Problem(error.statusCode, error.message));
      }
      log.warn('a control request failed', { error: error.stack ?? error.message });
      return sendProblem(reply, new Problem(500, 'The simulator failed at this; its log says more'));
    });
    servePage(this.server);
    addRoutes(this.server, target, this.history);
  }

  /** Listens and returns its port. Throws `PortUnavailable`. */
  async open(): Promise<number> {
    const { host, port } = this.options;
    try {
      await this.server.listen({ host, port });
    } catch (error) {
      const place = { host, port, setting: 'SIMULATOR_CONTROL_PORT', hostSetting: 'SIMULATOR_CONTROL_HOST' };
      throw new PortUnavailable(place, error as NodeJS.ErrnoException);
    }
    this.history.start();
    const address = this.server.server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async close(): Promise<void> {
    this.history.stop();
    await this.server.close();
  }
}

const OWN_NAMES = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/**
 * Why a request is not let in, or null. On loopback there is no token as a rule, so pages of other sites in somebody's browser
 * must be kept out: by the name they call us (DNS rebinding), by their origin, and by a content type that a form cannot send.
 */
function refusal(request: FastifyRequest, host: string, token: string | null): Problem | null {
  const { headers, method } = request;
  if (isLoopback(host) && !OWN_NAMES.test(headers.host ?? '')) {
    return new Problem(403, 'This API is reached as localhost or 127.0.0.1 only');
  }
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host ?? ''}`) {
    return new Problem(403, 'Pages of other sites may not use this API');
  }
  // By the route that was found, since a path can be written in many ways.
  const isPage = PAGE_PATHS.includes(request.routeOptions.url ?? '');
  if (token !== null && !isPage && !isSame(headers.authorization ?? '', `Bearer ${token}`)) {
    return new Problem(401, 'This API asks for the bearer token of SIMULATOR_CONTROL_TOKEN');
  }
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if ((method === 'POST' || method === 'PUT') && !/^(application\/(json|yaml|x-yaml)|text\/yaml)$/.test(type)) {
    return new Problem(
      415,
      'Send content-type: application/json, also with an empty body (a scenario: application/yaml)',
    );
  }
  return null;
}

/** Hashed first, since only equally long texts can be compared in constant time. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
