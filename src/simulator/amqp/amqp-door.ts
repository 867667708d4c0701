import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import { ClientConnection, type ConnectionHost, type ConnectionRules } from './client-connection.js';
import type { ConsumerGroup } from '../platform/consumer-group.js';
import type { Login } from '../platform/credentials.js';
import type { SignIn } from '../platform/gate.js';
import type { Log } from '../log.js';
import { PortUnavailable } from '../port-unavailable.js';

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

/** What the door asks of the platform behind it. */
export interface Reception {
  /** The reason of a refusal is already logged. */
  signIn(userName: string, password: string, peer: string): SignIn;
  /** A client wanted another SASL mechanism than PLAIN. */
  refuseMechanism(peer: string): void;
  /** A client that had signed in is gone. */
  left(login: Login): void;
  /** Undefined when it was deleted. */
  group(id: string): ConsumerGroup | undefined;
  /** Whether the data sync of a group's tenant is on; who signs in while it is off receives nothing. */
  isSynchronised(group: string): boolean;
}

/** Connections at once on a port, signed in or not. */
const MAX_SOCKETS = 20_000;

/** The AMQP 1.0 side of the platform: its listening sockets and the clients on them. */
export class AmqpDoor implements ConnectionHost {
  readonly connections = new Set<ClientConnection>();
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private plain: number | null = null;
  private tls: number | null = null;
  private stopping = false;
  /** By peer, since TLS does not tell which TCP connection it runs on. */
  private readonly underTls = new Map<string, Socket>();
  /** How long a TLS handshake is held up. */
  private tlsDelayMs = 0;

  constructor(
    private readonly options: DoorOptions,
    private readonly reception: Reception,
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
        this.plain = await this.listen((tcp) => this.accept(tcp, tcp), plainPort, 'SIMULATOR_PORT');
      }
      if (tlsPort !== null && certificate) {
        const tls = this.tlsServer(certificate);
        this.tls = await this.listen((tcp) => this.shakeHands(tls, tcp), tlsPort, 'SIMULATOR_TLS_PORT');
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  signIn(userName: string, password: string, peer: string): SignIn {
    return this.reception.signIn(userName, password, peer);
  }

  refuseMechanism(peer: string): void {
    this.reception.refuseMechanism(peer);
  }

  group(id: string): ConsumerGroup | undefined {
    return this.reception.group(id);
  }

  isSynchronised(group: string): boolean {
    return this.reception.isSynchronised(group);
  }

  /** The connections that signed in to a group. */
  clientsOf(group: string): ClientConnection[] {
    return [...this.connections].filter(({ login }) => login?.group === group);
  }

  /** Holds every TLS handshake up for so long from now on; 0 ends it. */
  slowTls(delayMs: number): void {
    this.tlsDelayMs = delayMs;
  }

  closed(connection: ClientConnection): void {
    if (this.connections.delete(connection) && connection.login) this.reception.left(connection.login);
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

  private async listen(onConnection: (tcp: Socket) => void, port: number, setting: string): Promise<number> {
    const { host } = this.options;
    const server = createServer();
    server.maxConnections = MAX_SOCKETS;
    server.on('connection', (tcp: Socket) => {
      this.sockets.add(tcp);
      tcp.once('close', () => this.sockets.delete(tcp));
      onConnection(tcp);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(new PortUnavailable({ host, port, setting, hostSetting: 'SIMULATOR_HOST' }, error));
      });
      server.listen(port, host, resolve);
    });
    server.on('error', (error) => this.log.warn('listening socket failed', { error: error.message }));
    this.servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** Never listens itself: it is handed connections, so that they can be kept waiting. */
  private tlsServer({ key, cert }: Certificate): TlsServer {
    const tls = createTlsServer({
      key,
      cert,
      minVersion: 'TLSv1.2',
      handshakeTimeout: this.options.setupTimeoutMs,
    });
    // A client that speaks plain TCP, or does not trust us; Node closes its socket.
    tls.on('tlsClientError', (error) => this.log.warn('TLS handshake failed', { error: error.message }));
    tls.on('secureConnection', (socket: TLSSocket) => {
      const tcp = this.underTls.get(peerOf(socket));
      if (tcp) this.accept(socket, tcp);
      else socket.destroy(); // gone already
    });
    return tls;
  }

  private shakeHands(tls: TlsServer, tcp: Socket): void {
    const peer = peerOf(tcp);
    this.underTls.set(peer, tcp);
    tcp.once('close', () => this.underTls.get(peer) === tcp && this.underTls.delete(peer));
    // Until TLS takes over; a client may go away while it waits.
    tcp.on('error', () => undefined);
    const begin = (): void => void (tcp.destroyed || tls.emit('connection', tcp));
    if (this.tlsDelayMs > 0) setTimeout(begin, this.tlsDelayMs).unref();
    else begin();
  }

  private accept(socket: Socket, tcp: Socket): void {
    if (this.stopping) {
      socket.destroy();
      return;
    }
    this.connections.add(new ClientConnection(socket, tcp, this, this.options, this.log));
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress ?? ''}:${remotePort ?? ''}`;
