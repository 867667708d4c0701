import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import net from 'node:net';
import { until } from '../support/until.js';
import { Proxy } from './proxy.mjs';

/** A server that says everything back, and a proxy before it. */
let server: net.Server;
let proxy: Proxy;
let port: number;
const accepted = new Set<net.Socket>();
const clients = new Set<net.Socket>();

beforeEach(async () => {
  server = net.createServer((socket) => {
    accepted.add(socket);
    socket.on('error', () => undefined).on('close', () => accepted.delete(socket));
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = new Proxy((server.address() as net.AddressInfo).port);
  port = await proxy.listen();
});
afterEach(() => {
  for (const socket of [...clients, ...accepted]) socket.destroy();
  clients.clear();
  proxy.close();
  server.close();
});

interface Caller {
  readonly socket: net.Socket;
  readonly heard: () => string;
  readonly ended: () => string | null;
}

function call(): Caller {
  const socket = net.connect(port, '127.0.0.1');
  clients.add(socket);
  let heard = '';
  let ended: string | null = null;
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (ended = code ?? 'error'));
  socket.on('end', () => (ended ??= 'end'));
  return { socket, heard: () => heard, ended: () => ended };
}

async function talking(): Promise<Caller> {
  const caller = call();
  caller.socket.write('hello ');
  await until(() => expect(caller.heard()).toBe('hello '));
  return caller;
}

describe('a proxy', () => {
  it('carries bytes in both directions, and the end of them', async () => {
    const caller = await talking();
    caller.socket.end('and bye');
    await until(() => expect([caller.heard(), caller.ended()]).toEqual(['hello and bye', 'end']));
    await until(() => expect(proxy.connections).toBe(0));
  });

  it('cuts connections by a reset, and in order', async () => {
    const first = await talking();
    proxy.cut('reset');
    await until(() => expect(first.ended()).toBe('ECONNRESET'));
    const second = await talking();
    proxy.cut('end');
    await until(() => expect(second.ended()).toBe('end'));
  });

  it('refuses while it is told to, and while it has no server', async () => {
    proxy.refuse(true);
    const first = call();
    await until(() => expect(first.ended()).toBe('ECONNRESET'));
    proxy.refuse(false);
    proxy.setTarget(null);
    const second = call();
    await until(() => expect(second.ended()).toBe('ECONNRESET'));
  });

  it.each(['up', 'down', 'both'] as const)(
    'swallows bytes (%s) of an open connection, which is never whole again',
    async (swallow) => {
      const lost = await talking();
      proxy.setWeather({ swallow });
      lost.socket.write('lost ');
      const late = call();
      late.socket.write('unheard');
      await until(() => expect(proxy.connections).toBe(2));
      proxy.clear('silence');
      const fresh = await talking();
      expect([lost.heard(), late.heard(), fresh.heard()]).toEqual(['hello ', '', 'hello ']);
      expect([lost.ended(), late.ended()]).toEqual([null, null]);
    },
  );

  it('resets what it has swallowed bytes of, and nothing else', async () => {
    proxy.setWeather({ swallow: 'both' });
    const lost = call();
    lost.socket.write('lost');
    await until(() => expect(proxy.connections).toBe(1));
    proxy.clear('reset');
    await until(() => expect(lost.ended()).toBe('ECONNRESET'));
    const whole = await talking();
    proxy.setWeather({ swallow: 'both' });
    proxy.clear('reset');
    whole.socket.write('again');
    await until(() => expect(whole.heard()).toBe('hello again'));
  });

  it.each([
    ['late', { delayMs: 30 }],
    ['few at a time', { bytesPerSecond: 20_000 }],
  ])('hands bytes on in their order though they are %s', async (_, weather) => {
    const caller = await talking();
    proxy.setWeather(weather);
    const words = Array.from({ length: 50 }, (_each, number) => `word ${number} `);
    for (const word of words) caller.socket.write(word);
    proxy.clear('reset'); // what comes after is fast, and must not overtake
    caller.socket.write('last');
    await until(() => expect(caller.heard()).toBe(`hello ${words.join('')}last`));
  });
});
