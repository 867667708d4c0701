import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { bundled } from '../bundled.js';

const FILES = [
  { path: '/', file: 'page/index.html', type: 'text/html; charset=utf-8' },
  { path: '/page.css', file: 'page/page.css', type: 'text/css; charset=utf-8' },
  { path: '/page.js', file: 'page/page.js', type: 'text/javascript; charset=utf-8' },
] as const;

export const PAGE_PATHS: readonly string[] = FILES.map(({ path }) => path);

/** Nothing from anywhere else, and no script but the page's own file: what devices send can never run there. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
} as const;

/** Serves the page. It holds nothing secret, so it is there without a token; what it shows it asks the API for. */
export function servePage(server: FastifyInstance): void {
  for (const { path, file, type } of FILES) {
    const content = readFileSync(bundled(file));
    server.get(path, (_request, reply) => reply.headers(HEADERS).type(type).send(content));
  }
}
