// @ts-check
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The code that is tried.
 * @typedef {object} Code
 * @property {typeof import('../../src/decoding/decode-message.js').decodeMessage} decodeMessage
 * @property {typeof import('../../src/transports/amqp/raw-message.js').rawMessage} rawMessage
 * @property {typeof import('../../src/ingest/set-aside-form.js').setAsideForm} setAsideForm
 * @property {typeof import('../../src/ingest/set-aside-form.js').isBareForm} isBareForm
 * @property {typeof import('../../src/ingest/replayer.js').decodeAgain} decodeAgain
 * @property {typeof import('../../src/storage/write-plan.js').planWrites} planWrites
 * @property {typeof import('../../src/storage/set-aside-row.js').setAsideRow} setAsideRow
 * @property {typeof import('../../src/storage/set-aside-row.js').rawMessageOf} rawMessageOf
 */

const MODULES = [
  'decoding/decode-message.js',
  'transports/amqp/raw-message.js',
  'ingest/set-aside-form.js',
  'ingest/replayer.js',
  'storage/write-plan.js',
  'storage/set-aside-row.js',
];

/**
 * @param {string} folder a build: `dist/`, or an instrumented copy of it
 * @returns {Promise<Code>}
 */
export async function loadCode(folder) {
  const modules = await Promise.all(MODULES.map((file) => import(pathToFileURL(path.join(folder, file)).href)));
  return Object.assign({}, ...modules);
}
