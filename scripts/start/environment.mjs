// @ts-check
import { readFileSync } from 'node:fs';
import path from 'node:path';
import util from 'node:util';
import { PlainError, codeOf } from '../plain-error.mjs';

/** @typedef {Record<string, string | undefined>} Environment */

/**
 * The environment with what `.env` adds to it; what is set in both is as in the environment, and empty means not set.
 * @param {string} root the checkout
 * @param {Environment} environment
 * @returns {Environment}
 */
export function readEnvironment(root, environment) {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim() !== ''));
  return { ...readDotEnv(path.join(root, '.env')), ...set };
}

/**
 * What runs here and what is somebody else's.
 * @typedef {object} Wishes
 * @property {string | undefined} databaseUrl of a PostgreSQL of one's own; else the embedded one is started
 * @property {boolean} simulator whether the local simulator plays the platform
 * @property {string} httpHost
 * @property {number} httpPort
 */

/**
 * @param {Environment} environment
 * @returns {Wishes}
 * @throws {PlainError} naming every setting that makes no sense here
 */
export function readWishes(environment) {
  const problems = [];
  const databaseUrl = environment['DATABASE_URL'];
  const amqpUrl = environment['AMQP_URL'];
  if (databaseUrl !== undefined && amqpUrl === undefined) {
    problems.push(
      'DATABASE_URL is set but AMQP_URL is not: set AMQP_URL to your platform, or to "simulator" if simulated devices shall be written to that database.',
    );
  }
  if (databaseUrl !== undefined && !isPostgresUrl(databaseUrl)) {
    problems.push(
      'DATABASE_URL is no PostgreSQL address: it looks like postgresql://user:password@host:5432/database.',
    );
  }
  const httpPort = Number(environment['HTTP_PORT'] ?? 3000);
  if (!Number.isInteger(httpPort) || httpPort < 1 || httpPort > 65_535) {
    problems.push(`HTTP_PORT is ${JSON.stringify(environment['HTTP_PORT'])}: it must be a number from 1 to 65535.`);
  }
  if (problems.length > 0) throw new PlainError(problems.join('\n'));
  return {
    databaseUrl,
    simulator: amqpUrl === undefined || amqpUrl === 'simulator',
    httpHost: environment['HTTP_HOST'] ?? '127.0.0.1',
    httpPort,
  };
}

/** @param {string} text */
function isPostgresUrl(text) {
  try {
    return ['postgres:', 'postgresql:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

/** @param {string} file */
function readDotEnv(file) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    throw new PlainError(`Cannot read ${file} (${codeOf(error)}).`, { cause: error });
  }
  const found = Object.entries(util.parseEnv(text));
  return Object.fromEntries(found.filter(([, value]) => value?.trim() !== ''));
}
