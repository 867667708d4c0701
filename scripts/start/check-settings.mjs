// @ts-check
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { PlainError } from '../plain-error.mjs';

/** @typedef {import('./environment.mjs').Environment} Environment */

// These stand in for what npm start brings itself, so that only what people wrote is judged.
const LOCAL_DATABASE = 'postgresql://local@127.0.0.1/local';
const LOCAL_URL = 'amqp://127.0.0.1:5672';
const LOCAL_PLATFORM = {
  AMQP_APP_KEY: 'local',
  AMQP_APP_SECRET: 'local',
  AMQP_ACCESS_KEY_ID: 'local',
  AMQP_ACCESS_KEY_SECRET: 'local',
  AMQP_SECURITY_TOKEN: 'local',
};

/**
 * Asks the service's own rules about the settings, before anything is started. They are in dist/: where that is not built
 * yet, nothing is said.
 * @param {string} root the checkout
 * @param {Environment} environment
 * @throws {PlainError} naming every bad setting at once
 */
export async function refuseBadSettings(root, environment) {
  const { DATABASE_URL: databaseUrl, AMQP_URL: amqpUrl } = environment;
  const simulated = amqpUrl === undefined || amqpUrl === 'simulator';
  /** @type {Environment} */
  const judged = { ...(simulated ? LOCAL_PLATFORM : {}), ...environment };
  if (databaseUrl === undefined) judged['DATABASE_URL'] = LOCAL_DATABASE;
  // not where a database is given: simulated devices in it must be asked for
  if (simulated && (databaseUrl === undefined || amqpUrl !== undefined)) judged['AMQP_URL'] = LOCAL_URL;
  const rules = await import(pathToFileURL(path.join(root, 'dist', 'config', 'read-settings.js')).href).catch(
    () => null,
  );
  if (rules === null) return;
  try {
    rules.readSettings(judged);
  } catch (error) {
    if (!(error instanceof rules.BadSettings)) throw error;
    const { problems } = /** @type {{ problems: readonly { variable: string, problem: string }[] }} */ (
      /** @type {unknown} */ (error)
    );
    throw new PlainError(problems.map(({ variable, problem }) => `${variable} ${problem}`).join('\n'));
  }
}
