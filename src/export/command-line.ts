import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { addressOf, LIST_LINES } from './lists.js';
import { CannotExport } from './problem.js';

export const USAGE = `living-mirror export <list> [filter=value …] [options]

Writes a whole list of a running service to a file, or to the standard output.

Lists:
${LIST_LINES.join('\n')}
  /v1/…            any other list of the service, by its path
Filters are the parameters of the list, as its documentation (/docs) names them; give one several times for several values:
  living-mirror export readings productKey=a1B2c3D4e5F from=2026-11-01T00:00:00Z --out november.csv.gz --gzip

Options:
  --format csv|ndjson   the default follows the name of the file, and is csv
  --out FILE            grows as FILE.part beside FILE.part.json, which says how far it is; is called FILE when it is complete.
                        The same command goes on where it was interrupted.
  --force               begins anew, also where FILE is there already
  --gzip                compresses the file
  --url URL             where the service is: LIVING_MIRROR_URL or http://127.0.0.1:3000
  --token-file FILE     a file with the token; without it the token is LIVING_MIRROR_TOKEN or HTTP_TOKEN of the environment
  --rows N              rows asked for at once, 1 to 10000 (10000)
  --give-up SECONDS     how long a service that does not answer is waited for (600)
  --quiet               shows no progress
  --help                shows this

Ends with 0 when the export is complete, 1 when it failed and can be gone on with, 2 when the command is wrong, 130 after Ctrl-C.`;

/** What the command was asked for. */
export interface ExportOptions {
  /** The service, with a slash at its end. */
  readonly url: string;
  readonly token: string | undefined;
  /** Path and query of the list. */
  readonly address: string;
  readonly format: 'csv' | 'ndjson';
  readonly out: string | undefined;
  readonly force: boolean;
  readonly gzip: boolean;
  readonly rows: number;
  readonly giveUpMs: number;
  readonly quiet: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the command line; null when it asks for help. A token is never an argument: everybody sees those.
 * @throws CannotExport
 */
export function readCommandLine(args: readonly string[], environment: Environment): ExportOptions | null {
  const { values, positionals } = parsed(args);
  if (values.help) return null;
  const [command, list, ...filters] = positionals;
  if (command !== 'export' || list === undefined) throw wrong('Say what to export: living-mirror export <list>.');
  const format = values.format ?? (/\.(ndjson|jsonl)(\.gz)?$/.test(values.out ?? '') ? 'ndjson' : 'csv');
  if (format !== 'csv' && format !== 'ndjson') throw wrong(`--format must be csv or ndjson, not ${format}.`);
  const url = values.url ?? environment['LIVING_MIRROR_URL'] ?? 'http://127.0.0.1:3000';
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw wrong(`--url must be an address such as http://127.0.0.1:3000, not ${url}.`);
  }
  return {
    url: url.replace(/\/*$/, '/'),
    token: values['token-file'] === undefined ? tokenOf(environment) : tokenIn(values['token-file']),
    address: addressOf(list, filters),
    format,
    out: values.out,
    force: values.force ?? false,
    gzip: values.gzip ?? false,
    rows: numberOf('--rows', values.rows ?? '10000', 10_000),
    giveUpMs: numberOf('--give-up', values['give-up'] ?? '600', 1_000_000) * 1000,
    quiet: values.quiet ?? false,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        format: { type: 'string' },
        out: { type: 'string' },
        force: { type: 'boolean' },
        gzip: { type: 'boolean' },
        url: { type: 'string' },
        'token-file': { type: 'string' },
        rows: { type: 'string' },
        'give-up': { type: 'string' },
        quiet: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const [first = ''] = (error as Error).message.split('. '); // Node goes on with hints on its own syntax
    throw wrong(`${first}.`);
  }
}

function tokenOf(environment: Environment): string | undefined {
  return environment['LIVING_MIRROR_TOKEN'] ?? environment['HTTP_TOKEN'];
}

function tokenIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw wrong(`--token-file ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}).`);
  }
}

function numberOf(option: string, text: string, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw wrong(`${option} must be a whole number from 1 to ${most}, not ${text}.`);
  return value;
}

function wrong(sentence: string): CannotExport {
  return new CannotExport(`${sentence} See living-mirror --help.`, 2);
}
