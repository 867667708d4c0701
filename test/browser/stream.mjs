// @ts-check
// GET /v1/stream as a page reads it: with an EventSource, over a wire that is cut.
import net from 'node:net';
import { check, checkEqual } from '../interop/checks.mjs';
import { until } from '../interop/processes.mjs';

/** @typedef {import('./chromium.mjs').Page} Page */

/** So many events come before the wire is cut, each time. */
const EVENTS = 20;
const CUTS = 3;

/**
 * Whatever was committed while the page was cut off comes when it is back, and nothing comes twice.
 * @param {Page} page
 * @param {number} port of the service
 */
export async function followTheStream(page, port) {
  const wire = await startWire(port);
  try {
    await page.goTo(`${wire.url}/health/live`); // a page of the same origin
    await page.evaluate(`(() => {
      window.ids = [];
      window.opened = 0;
      window.stream = new EventSource('/v1/stream?kinds=reading');
      stream.addEventListener('open', () => { opened += 1; });
      stream.addEventListener('reading', ({ lastEventId }) => { ids.push(lastEventId); });
    })()`);
    const seen = async () =>
      /** @type {{ ids: string[], opened: number }} */ (await page.evaluate('({ ids, opened })'));
    for (let cut = 0; cut <= CUTS; cut += 1) {
      const { ids: before } = await seen();
      await until('events in the page', async () => {
        const { ids, opened } = await seen();
        return opened === cut + 1 && ids.length >= before.length + EVENTS;
      });
      if (cut < CUTS) wire.cut();
    }
    await page.evaluate('stream.close()');
    const { ids, opened } = await seen();
    checkEqual('an EventSource comes back by itself each time that its connection is cut', opened, CUTS + 1);
    const [first = '', last = ''] = [ids[0], ids.at(-1)];
    checkEqual('it has every event once, in order, over all cuts', ids.slice(1), await idsBetween(port, first, last));
    check('which are many', ids.length >= (CUTS + 1) * EVENTS);
  } finally {
    wire.close();
  }
}

/**
 * What a reader is told who was never cut off.
 * @param {number} port
 * @param {string} first
 * @param {string} last
 */
async function idsBetween(port, first, last) {
  const answer = await fetch(
    `http://127.0.0.1:${port}/v1/stream?kinds=reading&follow=false&lastEventId=${encodeURIComponent(first)}`,
  );
  const ids = (await answer.text())
    .split('\n\n')
    .flatMap((block) => (/^event: reading$/m.test(block) ? (/^id: (.*)$/m.exec(block)?.[1] ?? []) : []));
  return ids.slice(0, ids.indexOf(last) + 1);
}

/**
 * A way to the service that can be cut.
 * @param {number} port
 */
async function startWire(port) {
  /** @type {Set<net.Socket>} */
  const sockets = new Set();
  const server = net.createServer((near) => {
    const far = net.connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}); // it is cut
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = /** @type {net.AddressInfo} */ (server.address());
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut,
    close: () => {
      cut();
      server.close();
    },
  };
}
