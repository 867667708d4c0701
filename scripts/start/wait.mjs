// @ts-check
import http from 'node:http';

/**
 * Asks again and again until there is an answer.
 * @template T
 * @param {() => Promise<T | undefined>} ask
 * @param {AbortSignal} signal gives up, by rejecting
 * @param {number} [everyMs]
 * @returns {Promise<T>}
 */
export async function until(ask, signal, everyMs = 100) {
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/**
 * The status of a page, if anybody answers.
 * @param {string} url
 * @returns {Promise<{ status: number, body: string } | undefined>}
 */
export function getPage(url) {
  return new Promise((resolve) => {
    const request = http.get(url, { agent: false, timeout: 2_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', () => resolve(undefined));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}
