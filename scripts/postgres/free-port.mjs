// @ts-check
import net from 'node:net';

/**
 * Whether nobody listens at this address.
 * @param {number} port
 * @param {string} [host]
 * @returns {Promise<boolean>}
 */
export function isFree(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * The first free port from this one on, or any if twenty in a row are taken.
 * @param {number} first 0 for any
 * @returns {Promise<number>}
 */
export async function freePort(first) {
  if (first > 0) {
    for (let port = first; port < Math.min(first + 20, 65_536); port += 1) if (await isFree(port)) return port;
  }
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
