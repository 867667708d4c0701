// @ts-check
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * Every message that the platform made, as its process wrote it down.
 * @param {string} file
 * @returns {AsyncGenerator<import('./referee/published.mjs').Published>}
 */
export async function* readJournal(file) {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line === '') continue;
    const { body, ...rest } = JSON.parse(line);
    yield { ...rest, body: Buffer.from(body, 'base64') };
  }
}
