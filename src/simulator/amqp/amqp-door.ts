import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { ClientConnection, type ConnectionHost, type ConnectionRules } from './client-connection.js';
import type { ConsumerGroup } from '../platform/consumer-group.js';
import type { Login } from '../platform/credentials.js';
import type { Log } from '../log.js';

export interface Certificate {
  /** The authority that clients must trust, PEM. */
  readonly ca: string;
  /** The server's own certificate, PEM. */
  readonly cert: string;
  /** Its private key, PEM. */
  readonly key: string;
}

export interface DoorOptions extends ConnectionRules {
  readonly host: string;
  /** 0 takes any free port; null opens no plain door. */
  readonly plainPort: number | null;
  readonly tlsPort: number | null;
  readonly certificate: Certificate | null;
}

/** A port could not be opened. The message says which one and which setting moves it. */
export class PortUnavailable extends Error {
  override readonly name = 'PortUnavailable';
}

/** The AMQP 1.0 side of the platform: its listening sockets and the clients on them. */
export class AmqpDoor implements ConnectionHost {
  readonly connections = new Set<ClientConnection>();
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private plain: number | null = null;
  private tls: number | null = null;
  private stopping = false;

  constructor(
    private readonly options: DoorOptions,
    private readonly check: (userName: string, password: string) => Login | null,
    private readonly groups: (id: string) => ConsumerGroup,
    private readonly log: Log,
  ) {}

  get plainPort(): number | null {
    return this.plain;
  }

  get tlsPort(): number | null {
    return this.tls;
  }

  async open(): Promise<void> {
    const { plainPort, tlsPort, certificate } = this.options;
    try {
      if (plainPort !== null) {
        this.plain = await this.listen(createServer(), 'connection', plainPort, 'SIMULATOR_PORT');
      }
      if (tlsPort !== null && certificate) {
        const { key, cert } = certificate;
        const server = createTlsServer({
          key,
          cert,
          minVersion: 'TLSv1.2',
          handshakeTimeout: this.options.setupTimeoutMs,
        });
        // A client that speaks plain TCP, or does not trust us; Node closes its socket.
        server.on('tlsClientError', (error) => this.log.warn('TLS handshake failed', { error: error.message }));
        this.tls = await this.listen(server, 'secureConnection', tlsPort, 'SIMULATOR_TLS_PORT');
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  signIn(userName: string, password: string): Login | null {
    return this.check(userName, password);
  }

  group(id: string): ConsumerGroup {
    return this.groups(id);
  }

  closed(connection: ClientConnection): void {
    this.connections.delete(connection);
  }

  /** Stops listening, tells the clients, and ends every socket, also those of clients that do not answer. */
  async close(): Promise<void> {
    this.stopping = true;
    const closed = this.servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const connection of this.connections) connection.close('amqp:connection:forced', 'the simulator stops');
    const impatient = setTimeout(() => {
      for (const connection of this.connections) connection.drop();
      for (const socket of this.sockets) socket.destroy();
    }, 250);
    await Promise.all(closed);
    clearTimeout(impatient);
  }

  private async listen(
    server: Server,
    event: 'connection' | 'secureConnection',
    port: number,
    setting: string,
  ): Promise<number> {
    const { host } = this.options;
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.on(event, (socket: Socket) => this.accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const reason =
          error.code === 'EADDRINUSE' ? 'is taken by another process' : `cannot be opened (${error.message})`;
        const advice = `Set ${setting} to another port, or to 0 for any free one.`;
        reject(new PortUnavailable(`Port ${port} on ${host} ${reason}. ${advice}`, { cause: error }));
      });
      server.listen(port, host, resolve);
    });
    server.on('error', (error) => this.log.warn('listening socket failed', { error: error.message }));
    this.servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  private accept(socket: Socket): void {
    if (this.stopping) {
      socket.destroy();
      return;
    }
    this.connections.add(new ClientConnection(socket, this, this.options, this.log));
  }
}
