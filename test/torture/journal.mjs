// @ts-check
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * One message as the platform made it.
 * @typedef {object} JournalMessage
 * @property {string | null} id null: it was sent without
 * @property {string | null} topic
 * @property {number | string | null} generateTime
 * @property {Record<string, unknown>} properties further application properties
 * @property {Buffer} body
 */

/**
 * @param {string} file
 * @returns {AsyncGenerator<JournalMessage>}
 */
export async function* readJournal(file) {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line === '') continue;
    const { body, ...rest } = JSON.parse(line);
    yield { ...rest, body: Buffer.from(body, 'base64') };
  }
}

/**
 * What makes two messages the same (promise 2): id, topic and bytes. Written here anew, not taken from the service.
 * @param {JournalMessage} message
 */
export function identityOf({ id, topic, generateTime, body }) {
  const parts = [id ?? generateTime ?? null, topic];
  return createHash('sha256').update(JSON.stringify(parts)).update('\n').update(body).digest('base64');
}
