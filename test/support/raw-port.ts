import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A port that takes connections and never says a word, and one that says something that is not AMQP. */
export interface RawPort {
  readonly url: string;
  readonly connections: () => number;
  stop(): Promise<void>;
}

/** @param says what every connection is sent at once; nothing when left out. */
export async function startRawPort(says?: string): Promise<RawPort> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    if (says !== undefined) socket.write(says);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `amqp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
