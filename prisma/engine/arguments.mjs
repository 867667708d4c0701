// The native engine's command line, as the Prisma CLI writes it.

import { parseArgs } from 'node:util';

/**
 * @typedef {{ url?: string, shadowDatabaseUrl?: string }} Datasource
 * @typedef {{ verb: string, datasource: Datasource, datamodels: string[] }} Asked
 */

/**
 * What the Prisma CLI asks for: `serve` when there is no subcommand.
 * @param {string[]} argv
 * @returns {Asked}
 */
export function parseArguments(argv) {
  // Not strict: a newer CLI may pass switches (extension types, preview features) that mean nothing to us.
  const { values, positionals } = parseArgs({
    args: argv,
    strict: false,
    allowPositionals: true,
    options: {
      datasource: { type: 'string' },
      datamodels: { type: 'string', multiple: true, short: 'd' },
      'enabled-preview-features': { type: 'string' },
      'extension-types': { type: 'string' },
      version: { type: 'boolean', short: 'V' },
    },
  });
  /** @type {Datasource} */
  const datasource = JSON.parse(String(values.datasource ?? '{}'));
  const datamodels = /** @type {string[]} */ (values.datamodels ?? []);
  if (values.version) return { verb: 'version', datasource, datamodels };
  const [command, verb] = positionals;
  if (command === undefined) return { verb: 'serve', datasource, datamodels };
  return { verb: command === 'cli' ? String(verb) : command, datasource, datamodels };
}
