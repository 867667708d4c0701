import type { EventEmitter } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Aedes, Client, PublishPacket } from 'aedes';
import type { Certificate } from '../amqp/amqp-door.js';
import { PortUnavailable } from '../port-unavailable.js';
import type { Device } from '../devices/device.js';
import type { Command, DownlinkRoute } from '../devices/downlink.js';
import { toJson } from '../devices/json.js';
import type { OfflineReason } from '../devices/messages.js';
import { goOffline, goOnline } from '../devices/presence.js';
import type { Registry } from '../devices/registry.js';
import { StatusThinning } from '../devices/status-thinning.js';
import type { Log } from '../log.js';
import type { Refusal } from '../platform/message-log.js';
import type { Publication } from '../platform/platform-message.js';
import type { Sandbox } from '../rules/sandbox.js';
import { matches, maySubscribe, readUplink } from './device-topic.js';
import { DISCONNECT, PacketWatch } from './packet-watch.js';
import { PendingCommands } from './pending-commands.js';
import { ProductScripts } from './product-scripts.js';
import { checkSignIn } from './sign-in.js';
import { Uplinks, type Downward } from './uplinks.js';

export interface MqttDoorOptions {
  readonly host: string;
  /** 0 takes any free port; null opens no plain door. */
  readonly plainPort: number | null;
  readonly tlsPort: number | null;
  readonly certificate: Certificate | null;
  /** Shortest keep-alive that a device may ask for, in seconds. */
  readonly minKeepAliveSeconds: number;
  /** How often the platform looks for devices that have fallen silent. */
  readonly scanMs: number;
}

/** The platform behind the door. */
export interface MqttPlatform {
  readonly registry: Registry;
  readonly sandbox: Sandbox;
  publish(publication: Publication): void;
  refused(refusal: Refusal): void;
  /** The simulated time, milliseconds since 1970. */
  now(): number;
  /** The world's time in milliseconds, from any start: a device's keep-alive goes by it. */
  worldNow(): number;
}

/** Time for a TLS handshake, and again for a device to say CONNECT. */
const SETUP_MS = 15_000;
/** What a device may publish (protocol 9), and what the broker is to collect at most: a topic of any length beside it. */
const MAX_PAYLOAD_BYTES = 256 * 1_024;
const MAX_PACKET_BYTES = MAX_PAYLOAD_BYTES + 65_535 + 4;
/** Bytes that wait for a device that does not read; then it is cut off. */
const MAX_UNSENT_BYTES = 1_024 * 1_024;
const MAX_FILTERS = 100;
/** Connections at once, signed in or not. */
const MAX_SOCKETS = 20_000;

/** A device that is connected. */
interface Session {
  readonly device: Device;
  readonly client: Client;
  readonly socket: Socket;
  readonly keepAliveMs: number;
  readonly filters: Set<string>;
  /** Address of the virtual device that it took the place of. */
  readonly formerIp: string | null;
  /** When it was last heard of, in the world's time. */
  heardAt: number;
}

/** A connection, before and after it has signed in. */
interface Visit {
  readonly socket: Socket;
  readonly tls: boolean;
  clientId: string;
  keepAliveSeconds: number;
  session: Session | null;
  /** The log knows already why it ends. */
  told: boolean;
  saidGoodbye: boolean;
}

/**
 * The side of the platform where devices are: MQTT 3.1.1 (and 3.1), plain and over TLS. aedes speaks the protocol; it
 * passes nothing from one client to another: what a device publishes goes to the platform, and what the platform sends
 * goes to one device, if that has subscribed to it. It keeps no session, no will and no retained message.
 */
export class MqttDoor implements DownlinkRoute {
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly sessions = new Map<Device, Session>();
  private readonly visits = new WeakMap<Client, Visit>();
  private readonly pending = new PendingCommands();
  private readonly scripts: ProductScripts;
  private readonly uplinks: Uplinks;
  private readonly thinning: StatusThinning;
  private broker: Aedes | null = null;
  private scan: NodeJS.Timeout | null = null;
  private lastClient = 0;
  private stopping = false;
  private plain: number | null = null;
  private tls: number | null = null;

  constructor(
    private readonly options: MqttDoorOptions,
    private readonly platform: MqttPlatform,
    private readonly log: Log,
  ) {
    const now = (): number => platform.now();
    this.scripts = new ProductScripts(platform.sandbox, now, () => platform.worldNow());
    this.thinning = new StatusThinning(() => platform.worldNow());
    this.uplinks = new Uplinks(platform.registry, this.pending, this.scripts, now);
  }

  get plainPort(): number | null {
    return this.plain;
  }

  get tlsPort(): number | null {
    return this.tls;
  }

  /** Listens. Throws `PortUnavailable`. */
  async open(): Promise<void> {
    const { plainPort, tlsPort, certificate } = this.options;
    if (plainPort === null && tlsPort === null) return;
    this.broker = await this.makeBroker();
    try {
      if (plainPort !== null) {
        this.plain = await this.listen(createServer(), 'connection', plainPort, 'SIMULATOR_MQTT_PORT');
      }
      if (tlsPort !== null && certificate) {
        const { key, cert } = certificate;
        const server = createTlsServer({ key, cert, minVersion: 'TLSv1.2', handshakeTimeout: SETUP_MS });
        server.on('tlsClientError', (error) =>
          this.log.warn('TLS handshake with a device failed', { error: error.message }),
        );
        this.tls = await this.listen(server, 'secureConnection', tlsPort, 'SIMULATOR_MQTT_TLS_PORT');
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    this.scan = setInterval(() => this.giveUpSilent(), this.options.scanMs);
    this.scan.unref();
  }

  /** Ends every connection at once, and tells nobody that the devices are gone: the whole platform is. */
  async close(): Promise<void> {
    this.stopping = true;
    if (this.scan) clearInterval(this.scan);
    const closed = this.servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(closed);
    const { broker } = this;
    if (broker) await new Promise<void>((resolve) => broker.close(() => resolve()));
  }

  /** Hands a command to a connected device. One that has not subscribed to it never hears of it, and never answers. */
  send(device: Device, command: Command): boolean {
    const session = this.sessions.get(device);
    if (!session) return false;
    const downward = this.packet(device, command);
    if ('failed' in downward) {
      this.log.warn('a command was not sent', { device: device.key, reason: downward.failed });
      return true;
    }
    this.pending.sent(device, command.requestId, command.service);
    if (!this.deliver(session, downward, 1)) {
      const reason = 'the device has not subscribed to its topic';
      this.log.warn('a command was not sent', { device: device.key, topic: downward.topic, reason });
    }
    return true;
  }

  /** Hands a message to a device, as rules do; false when it is not connected or has not subscribed to the topic. */
  publishTo(device: Device, topic: string, payload: Uint8Array): boolean {
    const session = this.sessions.get(device);
    return session !== undefined && this.deliver(session, { topic, payload }, 1);
  }

  /** A command as the device gets it: Alink JSON, or what the product's script makes of that. */
  private packet(device: Device, { requestId, service, params }: Command): Downward | { failed: string } {
    const folder = `/sys/${device.productKey}/${device.deviceName}/thing`;
    const method = `thing.service.${service.replaceAll('/', '.')}`;
    const request = { id: requestId, version: '1.0', params, method };
    if (device.product.rawScript === null) {
      return { topic: `${folder}/service/${service}`, payload: Buffer.from(toJson(request)) };
    }
    const raw = this.scripts.toRaw(device.product, request);
    return 'failed' in raw ? raw : { topic: `${folder}/model/down_raw`, payload: raw.bytes };
  }

  private async makeBroker(): Promise<Aedes> {
    // Loaded only when needed, which spares those who have no use for MQTT its start.
    const aedes = await import('aedes');
    const broker = await aedes.Aedes.createBroker({
      mq: DEAF,
      connectTimeout: SETUP_MS,
      maxClientsIdLength: 64,
      preConnect: (client, packet, done) => {
        const visit = this.visits.get(client);
        if (!visit) {
          done(new Error('the connection is not known'), false);
          return;
        }
        visit.clientId = packet.clientId;
        visit.keepAliveSeconds = packet.keepalive ?? 0;
        // The broker's own registry is of no use here: a device is known by its name, and may come with any client id.
        packet.clientId = `c${++this.lastClient}`;
        // Its timer knows nothing of the platform's scan. What else it would keep for a client, the platform does not.
        packet.keepalive = 0;
        packet.clean = true;
        delete packet.will;
        done(null, true);
      },
      authenticate: (client, userName, password, done) => {
        const code = this.signIn(client, userName ?? null, password ?? null);
        if (code === null) done(null, true);
        else done(Object.assign(new Error('refused'), { returnCode: code }), false);
      },
      // The one place where packets of both QoS come by in the order in which they arrived. Taken here, a message goes
      // no further: nobody in the broker listens.
      authorizePublish: (client, packet, done) => {
        packet.retain = false;
        const complaint = client ? this.publication(client, packet) : null;
        done(complaint === null ? null : new Error(complaint));
      },
      authorizeSubscribe: (client, subscription, done) => {
        done(null, this.subscribe(client, subscription.topic) ? subscription : null);
      },
    });
    const emitter: EventEmitter = broker; // its own types leave this event out
    emitter.on('error', (error: Error) => this.log.warn('the MQTT broker failed', { error: error.message }));
    broker.on('unsubscribe', (filters, client) => {
      for (const filter of filters) this.visits.get(client)?.session?.filters.delete(filter);
    });
    for (const event of ['clientError', 'connectionError'] as const) {
      broker.on(event, (client, error) => {
        const visit = this.visits.get(client);
        if (!visit || visit.told || this.stopping) return;
        visit.told = true;
        const device = visit.session?.device.key ?? '';
        this.log.warn('an MQTT connection failed', { device, error: error.message });
      });
    }
    return broker;
  }

  private async listen(
    server: Server,
    event: 'connection' | 'secureConnection',
    port: number,
    setting: string,
  ): Promise<number> {
    const { host } = this.options;
    server.maxConnections = MAX_SOCKETS;
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.on(event, (socket: Socket) => this.accept(socket, event === 'secureConnection'));
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

  private accept(socket: Socket, tls: boolean): void {
    const { broker } = this;
    if (this.stopping || !broker) {
      socket.destroy();
      return;
    }
    // Devices wait for short answers.
    socket.setNoDelay(true);
    const client = broker.handle(socket);
    const visit: Visit = {
      socket,
      tls,
      clientId: '',
      keepAliveSeconds: 0,
      session: null,
      told: false,
      saidGoodbye: false,
    };
    this.visits.set(client, visit);
    const watch = new PacketWatch(
      MAX_PACKET_BYTES,
      (type) => {
        if (type === DISCONNECT) visit.saidGoodbye = true;
        if (visit.session) this.heard(visit.session);
      },
      (length) => this.cutOff(visit, `a packet of ${length} bytes; at most ${MAX_PAYLOAD_BYTES} may be published`),
    );
    // The broker reads on `readable`; a listener of `data` then sees what it has read, before it looks at it.
    socket.on('data', (chunk: Buffer) => watch.see(chunk));
    socket.once('close', () => {
      if (visit.session) this.end(visit.session, 'closed');
    });
  }

  /** The return code of a refusal, null when the device is in. */
  private signIn(client: Client, userName: string | null, password: Uint8Array | null): number | null {
    const visit = this.visits.get(client);
    if (!visit || visit.socket.destroyed || this.stopping) return 3;
    const { clientId, keepAliveSeconds, tls } = visit;
    const claim = { clientId, userName, password, keepAliveSeconds, tls };
    const verdict = checkSignIn(claim, this.platform.registry, this.options.minKeepAliveSeconds);
    if ('refused' in verdict) {
      const { refused: reason, who, code } = verdict;
      visit.told = true;
      this.log.warn('refused a device', { device: who, reason });
      this.platform.refused({ what: 'sign-in', door: 'mqtt', who, reason });
      return code;
    }
    this.begin(visit, client, verdict.device);
    return null;
  }

  /** The device is online from here on; who spoke for it before is offline within the same moment (protocol 7.5). */
  private begin(visit: Visit, client: Client, device: Device): void {
    const { platform } = this;
    const { socket, keepAliveSeconds } = visit;
    const former = this.sessions.get(device);
    if (former) {
      this.cutOff(this.visits.get(former.client), 'another connection has signed in as the same device');
      this.end(former, 'taken-over');
    } else {
      this.tellStatus(device, goOffline(device, [], platform.now(), 'taken-over'));
    }
    const formerIp = former ? former.formerIp : device.clientIp;
    device.takeOver();
    device.clientIp = (socket.remoteAddress ?? '').replace(/^::ffff:/, '') || null;
    const session: Session = {
      device,
      client,
      socket,
      keepAliveMs: keepAliveSeconds * 1_000,
      filters: new Set(),
      formerIp,
      heardAt: platform.worldNow(),
    };
    visit.session = session;
    this.sessions.set(device, session);
    this.tellStatus(device, goOnline(device, [], platform.now()));
    this.log.info('a device has connected', { device: device.key });
  }

  private end(session: Session, reason: OfflineReason): void {
    const { device, client } = session;
    if (this.sessions.get(device) !== session) return;
    this.sessions.delete(device);
    const visit = this.visits.get(client);
    if (visit) visit.session = null;
    if (this.stopping) return;
    this.tellStatus(device, goOffline(device, [], this.platform.now(), reason));
    if (reason !== 'taken-over') {
      device.clientIp = session.formerIp;
      device.release();
    }
    const how = reason === 'closed' && visit?.saidGoodbye ? 'disconnected' : reason;
    this.log.info('a device has left', { device: device.key, how });
  }

  /** Ends a connection that has done what it may not; its session ends when the socket closes, unless that was before. */
  private cutOff(visit: Visit | undefined, reason: string): void {
    if (!visit || visit.socket.destroyed) return;
    visit.told = true;
    this.log.warn('closed an MQTT connection', { device: visit.session?.device.key ?? '', reason });
    visit.socket.destroy();
  }

  private heard(session: Session): void {
    session.heardAt = this.platform.worldNow();
    session.device.lastPacketAt = this.platform.now();
    if (this.isGone(session.device)) this.dismiss(session);
  }

  /** A device counts as gone when nothing was heard of it for 1.5 keep-alives, and somebody looks (protocol 7.5). */
  private giveUpSilent(): void {
    this.tell(this.thinning.due());
    const now = this.platform.worldNow();
    for (const session of this.sessions.values()) {
      if (this.isGone(session.device)) this.dismiss(session);
      else if (now - session.heardAt > 1.5 * session.keepAliveMs) {
        this.cutOff(this.visits.get(session.client), 'nothing was heard for 1.5 keep-alives');
        this.end(session, 'silent');
      }
    }
  }

  private isGone(device: Device): boolean {
    const { registry } = this.platform;
    return device.disabled || registry.device(device.productKey, device.deviceName) !== device;
  }

  private dismiss(session: Session): void {
    this.cutOff(this.visits.get(session.client), 'the device is disabled or deleted');
    this.end(session, 'disabled');
  }

  /** Takes what a device publishes; says what is wrong with it when the connection has to be closed for it. */
  private publication(client: Client, { topic, payload, qos }: PublishPacket): string | null {
    if (this.stopping) return 'the simulator stops';
    const visit = this.visits.get(client);
    const session = visit?.session ?? null;
    const bytes = payload.length;
    const complaint = !session
      ? 'it has not signed in'
      : qos === 2
        ? 'QoS 2 is not supported'
        : bytes > MAX_PAYLOAD_BYTES
          ? `a message of ${bytes} bytes; at most ${MAX_PAYLOAD_BYTES} may be published`
          : readUplink(session.device, topic) === null
            ? `it may not publish on ${topic.slice(0, 256)}`
            : null;
    // A copy: the bytes are a part of whatever the socket read, and the message log keeps them.
    if (session && complaint === null) this.uplink(session, topic, Buffer.from(payload), qos === 0 ? 0 : 1);
    if (visit && complaint !== null) {
      const device = session?.device.key ?? '';
      visit.told = true;
      this.log.warn('closed an MQTT connection', { device, reason: complaint });
      this.platform.refused({ what: 'uplink', door: 'mqtt', who: device, reason: complaint, topic });
    }
    return complaint;
  }

  private subscribe(client: Client, filter: string): boolean {
    const session = this.visits.get(client)?.session;
    if (!session) return false;
    const { device, filters } = session;
    const reason = !maySubscribe(device, filter)
      ? 'the device may not subscribe to it'
      : filters.size >= MAX_FILTERS && !filters.has(filter)
        ? `the device has ${MAX_FILTERS} subscriptions already`
        : null;
    if (reason !== null) {
      this.log.warn('refused a subscription', { device: device.key, filter: filter.slice(0, 256), reason });
      return false;
    }
    filters.add(filter);
    return true;
  }

  private uplink(session: Session, topic: string, body: Uint8Array, qos: 0 | 1): void {
    const { device } = session;
    const { publications, answer, refused } = this.uplinks.handle(device, topic, body);
    this.tell(publications);
    if (refused !== null) {
      this.log.warn('an uplink was not forwarded', { device: device.key, topic, reason: refused });
      this.platform.refused({ what: 'uplink', door: 'mqtt', who: device.key, reason: refused, topic, body });
    }
    if (answer) this.deliver(session, answer, qos);
  }

  /** Whether the device has subscribed to the topic, and so gets it. */
  private deliver(session: Session, { topic, payload }: Downward, qos: 0 | 1): boolean {
    const { client, socket, filters } = session;
    if (![...filters].some((filter) => matches(filter, topic))) return false;
    if (socket.writableLength > MAX_UNSENT_BYTES) {
      this.cutOff(this.visits.get(client), 'it does not read what it is sent');
      return true;
    }
    const packet = { cmd: 'publish', topic, payload: bytesOf(payload), qos, dup: false, retain: false } as const;
    client.publish(packet, () => undefined);
    return true;
  }

  private tellStatus(device: Device, said: readonly Publication[]): void {
    this.tell(this.thinning.passing(device, said));
  }

  private tell(publications: readonly Publication[]): void {
    for (const publication of publications) this.platform.publish({ origin: { from: 'mqtt' }, ...publication });
  }
}

/** In place of what would carry messages from one client of the broker to another. */
const DEAF = {
  on: (_topic: string, _listener: unknown, done?: () => void): void => later(done),
  removeListener: (_topic: string, _listener: unknown, done?: () => void): void => later(done),
  emit: (_packet: unknown, done?: () => void): void => later(done),
  close: (done?: () => void): void => later(done),
};

function later(done: (() => void) | undefined): void {
  if (done) setImmediate(done);
}

/** The same bytes as a Buffer; the broker's packets know text as well. */
const bytesOf = (payload: string | Uint8Array): Buffer =>
  typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload.buffer, payload.byteOffset, payload.length);
