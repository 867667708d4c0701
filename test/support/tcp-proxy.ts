import net from 'node:net';

/** Stands between two ends of a connection, and can become a black hole: what goes in does not come out, and nobody is told. */
export class TcpProxy {
  private swallows = false;
  private readonly links = new Set<{ swallows: boolean }>();
  private readonly sockets = new Set<net.Socket>();

  private constructor(private readonly server: net.Server) {}

  static async to(host: string, port: number): Promise<TcpProxy> {
    const server = net.createServer();
    const proxy = new TcpProxy(server);
    server.on('connection', (near) => {
      const far = net.connect(port, host);
      const link = { swallows: proxy.swallows };
      proxy.links.add(link);
      proxy.join(near, far, link);
      proxy.join(far, near, link);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  /** From now on everything is swallowed, on connections old and new. */
  swallow(): void {
    this.swallows = true;
    for (const link of this.links) link.swallows = true;
  }

  /** New connections work again. The old ones stay dead, as they do behind a firewall that has forgotten them. */
  heal(): void {
    this.swallows = false;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(from: net.Socket, to: net.Socket, link: { readonly swallows: boolean }): void {
    this.sockets.add(from);
    from.on('data', (bytes) => {
      if (!link.swallows) to.write(bytes);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      if (!link.swallows) to.destroy();
    });
  }
}
