import http from 'node:http';
import https from 'node:https';
import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import type { ExportOptions } from './command-line.js';
import { CannotExport } from './problem.js';

/** A page of a list as it came. */
export interface ListPage {
  /** Its rows; compressed if the file is. */
  readonly bytes: Buffer;
  readonly rows: number;
  /** Where the next page begins, or null after the last one. */
  readonly next: string | null;
}

/** The service does not answer, or not as it should; it may later. */
class Unavailable extends Error {
  constructor(
    message: string,
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }
}

/** Longer than the service takes for any page. */
const SILENCE_MS = 120_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 15_000;
const FEWEST_ROWS = 100;

const unzip = promisify(gunzip);

/** Asks a service for pages, and asks again while it is away. */
export class PageClient {
  private readonly agent: http.Agent;
  private rows: number;

  /** @param waiting is told why a page does not come, and null when it has come after all. */
  constructor(
    private readonly options: ExportOptions,
    private readonly waiting: (why: string | null) => void,
  ) {
    this.rows = options.rows;
    const secure = options.url.startsWith('https:');
    this.agent = secure ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true });
  }

  /**
   * The page at a cursor. Comes back only with all of it: a page that breaks off is asked for again.
   * @throws CannotExport when the service says no, or does not answer for too long.
   */
  async page(cursor: string | null): Promise<ListPage> {
    const since = performance.now();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        const page = await this.ask(cursor);
        this.waiting(null);
        return page;
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        if (performance.now() - since > this.options.giveUpMs) {
          throw new CannotExport(
            `${error.message}, for ${Math.round((performance.now() - since) / 1000)} s: given up.`,
          );
        }
        this.waiting(error.message);
        await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs ?? pauseMs));
      }
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private async ask(cursor: string | null): Promise<ListPage> {
    const { url, address, gzip, format, token } = this.options;
    const target = new URL(address.replace(/^\//, ''), url);
    target.searchParams.set('limit', String(this.rows));
    if (cursor !== null) target.searchParams.set('cursor', cursor);
    const csv = `text/csv; header=${cursor === null ? 'present' : 'absent'}`;
    const { reply, body } = await this.get(target, {
      accept: format === 'csv' ? csv : 'application/x-ndjson',
      // Between processes of one machine, compressing takes longer than it saves.
      'accept-encoding': gzip || !isHere(target) ? 'gzip' : 'identity',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    });
    // A page took the service too long: smaller ones may not.
    if (reply.statusCode === 504) this.rows = Math.max(Math.floor(this.rows / 2), FEWEST_ROWS);
    if (reply.statusCode !== 200) throw refused(target, reply, body, cursor);
    const zipped = reply.headers['content-encoding'] === 'gzip';
    if (gzip && !zipped) throw new CannotExport(`${target.host} does not compress: leave out --gzip.`);
    const next = reply.headers['next-cursor'];
    return {
      bytes: zipped && !gzip ? await unzip(body) : body,
      rows: Number(reply.headers['row-count'] ?? 0),
      next: typeof next === 'string' ? next : null,
    };
  }

  private async get(
    target: URL,
    headers: Record<string, string>,
  ): Promise<{ readonly reply: http.IncomingMessage; readonly body: Buffer }> {
    try {
      const reply = await new Promise<http.IncomingMessage>((resolve, reject) => {
        const get = target.protocol === 'https:' ? https.get : http.get;
        const request = get(target, { agent: this.agent, headers, timeout: SILENCE_MS }, resolve);
        request.on('error', reject);
        request.on('timeout', () => request.destroy(new Error('it says nothing')));
      });
      return { reply, body: Buffer.concat(await reply.toArray()) };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Unavailable(`${target.origin} does not answer (${code ?? message})`);
    }
  }
}

/** A refusal for people: by the service's own words where it has some. */
function refused(target: URL, reply: http.IncomingMessage, body: Buffer, cursor: string | null): Error {
  const status = reply.statusCode ?? 0;
  const words = `${target.origin} answers ${status}: ${detailOf(body) ?? reply.statusMessage ?? 'nothing more'}`;
  if (status === 401)
    return new CannotExport(`${words}. The token is LIVING_MIRROR_TOKEN or HTTP_TOKEN of the environment.`);
  if (status === 429 || status >= 500) {
    const seconds = Number(reply.headers['retry-after']);
    return new Unavailable(words, seconds > 0 && seconds <= 300 ? seconds * 1000 : null);
  }
  return new CannotExport(status === 400 && cursor !== null ? `${words}. Begin anew with --force.` : words);
}

function detailOf(body: Buffer): string | null {
  try {
    const problem = JSON.parse(body.toString()) as { readonly detail?: unknown };
    return typeof problem.detail === 'string' ? problem.detail : null;
  } catch {
    return null; // whoever answers is no service of ours
  }
}

function isHere({ hostname }: URL): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
