import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A port that leads to another, through which connections can be frozen and cut. */
export interface TcpProxy {
  readonly port: number;
  /** Connections open to the far side. */
  readonly connections: number;
  /** Bytes that the far side has sent so far. */
  readonly bytesBack: number;
  /** From now on nothing goes through the connections of today in either direction, and nobody is told. */
  freeze(): void;
  /** The same, and new connections are frozen from the start: a black hole. */
  swallow(): void;
  /** New connections work again. Frozen ones stay so, as behind a firewall that has forgotten them. */
  heal(): void;
  /** From now on what the near side of today's connections says is lost; it still hears the far side. */
  deafen(): void;
  /** Ends all connections without a word. */
  cut(): void;
  stop(): Promise<void>;
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  let bytesBack = 0;
  let swallows = false;
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    far.on('data', (bytes) => (bytesBack += bytes.length));
    for (const [from, to] of [pair, [far, near] as const]) {
      from.setNoDelay(true);
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => undefined);
      from.on('close', () => {
        if (!from.isPaused()) to.destroy();
        if (near.destroyed && far.destroyed) pairs.delete(pair);
      });
      if (swallows) from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  const freeze = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.pause();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return [...pairs].filter(([, far]) => !far.destroyed).length;
    },
    get bytesBack() {
      return bytesBack;
    },
    freeze,
    swallow: () => {
      swallows = true;
      freeze();
    },
    heal: () => {
      swallows = false;
    },
    deafen: () => {
      for (const [near] of pairs) near.removeAllListeners('data').resume();
    },
    cut,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
