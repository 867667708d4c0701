import type { Socket } from 'node:net';
import rhea from 'rhea';
import type { Connection, Container, Delivery, EventContext, Sender, SenderOptions } from 'rhea';
import type { Client, ConsumerGroup } from '../platform/consumer-group.js';
import type { QueuedMessage } from '../platform/queued-message.js';
import type { Answer } from '../platform/fate.js';
import type { Login } from '../platform/credentials.js';
import type { SignIn } from '../platform/gate.js';
import type { Log } from '../log.js';
import { forbidExcess, MAX_SESSIONS } from './excess.js';
import { FrameWatch, MAX_FRAME_BYTES } from './frame-watch.js';
import { answerEchoes } from './link-state.js';
import { Nowhere } from './nowhere.js';
import { plainOnly, TEMPORARY_OUTCOME, type PlainVerdict } from './sasl-plain.js';
import { encodeMessage } from './encode-message.js';

export interface ConnectionRules {
  /** For the sign-in, and again from then to the receiver link (protocol 1.2, 2). */
  readonly setupTimeoutMs: number;
  /** Without an answer for so long, a delivery has failed (protocol 4.2). */
  readonly ackTimeoutMs: number;
  /** What a client's idle-time-out must lie between; silent for longer than its own, it is closed (protocol 1.7). */
  readonly minIdleTimeoutMs: number;
  readonly maxIdleTimeoutMs: number;
}

export interface ConnectionHost {
  /** The reason of a refusal is already logged. */
  signIn(userName: string, password: string, peer: string): SignIn;
  /** A client wanted another SASL mechanism than PLAIN. */
  refuseMechanism(peer: string): void;
  /** Undefined when it was deleted since the sign-in. */
  group(id: string): ConsumerGroup | undefined;
  /** Whether the data sync of a group's tenant is on; who signs in while it is off receives nothing. */
  isSynchronised(group: string): boolean;
  closed(connection: ClientConnection): void;
}

/** The parts of rhea's objects that its type declarations leave out. */
interface ServerSide {
  accept(socket: Socket): void;
  /** Has what is pending written out in this turn. */
  _register(): void;
  /** Stops its timers. */
  _disconnected(error?: Error): void;
  socket: unknown;
  readonly local: { readonly open: { idle_time_out: number } };
}
interface SendingLink {
  credit: number;
  readonly delivery_count: number;
  /** How many more deliveries it can remember. */
  readonly session: { readonly outgoing: { available(): number } };
}
type Forgettable = { -readonly [Name in 'settled' | 'remote_settled']: Delivery[Name] };

/** rhea's outcomes by name, which it wants told again beside "settled". */
const OUTCOMES = rhea.message as unknown as Partial<Record<Answer, (fields: object) => { described(): unknown }>>;

/**
 * rhea frees a delivery only from the head of a ring, so one that is never answered holds up all behind it. Its default of
 * 2,048 would soon stop a client that leaves messages unanswered; the platform keeps serving it.
 */
const OUTGOING_BUFFER = 65_536;

/** For how long a client may take to answer a close. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Bytes that may wait in the socket before a client counts as too slow, whatever credit it gave. */
const MAX_SOCKET_BACKLOG = 4 * 1_024 * 1_024;

/** Bytes that a client may send before it has signed in; a security token has some 4 KiB. */
const MAX_SIGN_IN_BYTES = 65_536;

/** One client on its socket: sign-in, the connection and link rules, its deliveries and their answers. */
export class ClientConnection implements Client {
  private readonly connection: Connection;
  private readonly unanswered = new Map<Delivery, { queued: QueuedMessage; sentAt: number }>();
  /** Where the client calls from, `address:port`. */
  readonly peer: string;
  private signedIn: Login | undefined;
  private answeredSignIn = false;
  /** Whether the client must connect again before it receives anything (protocol 4.3). */
  private deaf = false;
  /** Whether it is sent nothing, although its link is open, or its credit is lost, until it connects again. */
  private isSilent = false;
  private lostCredit = false;
  /** Whether the network swallows everything between the client and us. */
  private swallowed = false;
  private group: ConsumerGroup | undefined;
  private link: Sender | undefined;
  /** Deliveries handed to rhea on this link, which transfers them (and lowers the credit) only later. */
  private handed = 0;
  private corked = false;
  private setupTimer: NodeJS.Timeout | undefined;
  private ackTimer: NodeJS.Timeout | undefined;
  private closeTimer: NodeJS.Timeout | undefined;

  constructor(
    /** What rhea speaks through: the TCP connection itself or the TLS on it. */
    private socket: Socket,
    /** The TCP connection. */
    private readonly tcp: Socket,
    private readonly host: ConnectionHost,
    private readonly rules: ConnectionRules,
    private readonly log: Log,
  ) {
    this.peer = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? ''}`;
    socket.setNoDelay(true);
    this.watch(socket);
    this.awaitSetup('no sign-in in time', () => this.endSoon());

    // A container of its own for each connection, since rhea tells its sign-in callback nothing of the connection.
    const container = rhea.create_container({ id: 'platform-simulator', require_sasl: true });
    container.sasl_server_mechanisms = plainOnly(
      (userName, password) => this.onSignIn(userName, password),
      () => this.onOtherMechanism(),
    );
    this.listen(container);
    this.connection = container.create_connection({
      port: 0,
      reconnect: false,
      session_buffer_size: { outgoing: OUTGOING_BUFFER },
      max_frame_size: MAX_FRAME_BYTES,
      channel_max: MAX_SESSIONS - 1,
      sender_options: { treat_modified_as_released: false } as SenderOptions,
      receiver_options: { credit_window: 0, autoaccept: false },
    });
    forbidExcess(this.connection, OUTGOING_BUFFER);
    this.weigh(socket); // before rhea reads it
    this.serverSide.accept(socket);
  }

  private get serverSide(): ServerSide {
    return this.connection as unknown as ServerSide;
  }

  /** Null before the client has signed in. */
  get login(): Login | null {
    return this.signedIn ?? null;
  }

  get clientId(): string {
    return this.signedIn?.clientId ?? '';
  }

  room(): number {
    const link = this.link;
    if (this.isSilent || this.lostCredit) return 0;
    if (!link?.is_open() || !link.sendable() || this.socket.writableLength > MAX_SOCKET_BACKLOG) return 0;
    const { credit, delivery_count: transferred, session } = link as unknown as SendingLink;
    return Math.min(credit - (this.handed - transferred), session.outgoing.available());
  }

  send(queued: QueuedMessage): void {
    if (!this.link) throw new Error('Sent to a client without a receiver link');
    this.cork();
    // Format 0 beside bytes tells rhea that they are a message encoded already.
    // The tag, which must differ on the link only, costs rhea more to make than it does us.
    const tag = Buffer.allocUnsafe(4);
    tag.writeUInt32BE(this.handed >>> 0);
    const delivery = this.link.send(encodeMessage(queued.message, this.signedIn?.base64 ?? false), tag, 0);
    this.handed++;
    this.unanswered.set(delivery, { queued, sentAt: performance.now() });
    this.ackTimer ??= setTimeout(() => this.onAckTimer(), this.rules.ackTimeoutMs);
  }

  /** Resets the TCP connection, whatever is on its way. Over a half-open one the client hears nothing of it. */
  drop(): void {
    if (!this.swallowed) reset(this.tcp);
    this.socket.destroy();
  }

  /**
   * The network swallows everything from now on: the platform sends into nothing until it gives the client up, and the client
   * writes into a connection that stays open, unread, for so long. Then the connection is reset.
   */
  halfOpen(forMs: number): void {
    if (this.swallowed) return;
    this.swallowed = true;
    const held = this.socket;
    held.pause();
    for (const event of ['data', 'end', 'error', 'drain']) held.removeAllListeners(event);
    held.on('error', () => undefined);
    this.socket = new Nowhere() as unknown as Socket;
    this.watch(this.socket);
    this.socket.on('error', () => undefined);
    this.serverSide.socket = this.socket;
    setTimeout(() => {
      reset(this.tcp);
      this.socket.destroy();
    }, forMs).unref();
  }

  /** Resets the connection once it was sent so many more bytes, in the middle of whatever that is. */
  cutAfter(bytes: number): void {
    const { socket } = this;
    const write: (chunk: Buffer, done?: () => void) => boolean = socket.write.bind(socket);
    let left = bytes;
    const writeSome = (chunk: Buffer): boolean => {
      if (left <= 0) return false;
      left -= chunk.length;
      if (left > 0) return write(chunk);
      return write(chunk.subarray(0, chunk.length + left), () => this.drop());
    };
    socket.write = writeSome;
    if (bytes <= 0) this.drop();
  }

  /** From now on the client receives nothing, until it connects again. What it has it may still answer. */
  deafen(): void {
    this.deaf = true;
    this.group?.leave(this);
  }

  /** From now on it is sent nothing, although its link is open and has credit. What it has it may still answer. */
  fallSilent(): void {
    this.isSilent = true;
  }

  /** The credit of its link is lost, and what it grants from now on counts for nothing. */
  forgetCredit(): void {
    this.lostCredit = true;
    if (this.link) (this.link as unknown as SendingLink).credit = 0;
  }

  /** Closes with an AMQP condition; a client that does not answer the close is dropped. */
  close(condition: string, description: string): void {
    this.connection.close({ condition, description });
    this.expectEnd();
  }

  /** Detaches the receiver link with an AMQP condition and leaves the connection open. */
  detach(condition: string, description: string): void {
    const link = this.link;
    if (!link) return;
    this.returnUnanswered();
    this.link = undefined;
    link.close({ condition, description });
    this.awaitLink();
  }

  private onSignIn(userName: string, password: string): PlainVerdict {
    const result: SignIn = this.answeredSignIn ? { kind: 'refused' } : this.host.signIn(userName, password, this.peer);
    this.answeredSignIn = true;
    switch (result.kind) {
      case 'admitted':
        this.signedIn = result.login;
        this.deaf = !this.host.isSynchronised(result.login.group);
        this.awaitLink();
        return 'admitted';
      case 'refused':
        this.endSoon();
        return 'refused';
      case 'turned-away':
        this.endSoon(TEMPORARY_OUTCOME);
        return 'answered';
      default:
        return result satisfies never;
    }
  }

  private onOtherMechanism(): void {
    if (!this.answeredSignIn) this.host.refuseMechanism(this.peer);
    this.answeredSignIn = true;
    this.endSoon();
  }

  /** Ends the connection of a client that is not let in. What rhea has to say is written in this turn. */
  private endSoon(lastWord?: Buffer): void {
    clearTimeout(this.setupTimer);
    setImmediate(() => (lastWord ? this.socket.end(lastWord) : this.socket.end()));
    this.expectEnd();
  }

  /** The connection is over on our side; a client that keeps its own end open is dropped. */
  private expectEnd(): void {
    this.returnUnanswered();
    this.closeTimer ??= setTimeout(() => this.drop(), CLOSE_TIMEOUT_MS).unref();
  }

  private listen(container: Container): void {
    container.on('connection_open', () => this.onOpen());
    container.on('sender_open', ({ sender }: EventContext) => sender && this.onReceiverAttached(sender));
    container.on('receiver_open', ({ receiver }: EventContext) => {
      this.log.warn('refused a sender link: clients only receive here', { client: this.clientId });
      receiver?.close({ condition: 'amqp:not-allowed', description: 'clients cannot publish on this channel' });
    });
    container.on('sender_close', ({ sender }: EventContext) => this.onLinkClosed(sender));
    container.on('session_close', () => this.onLinkClosed(this.link));
    container.on('sender_flow', () => this.group?.wake());
    container.on('sender_draining', ({ sender }: EventContext) => sender && this.onDrain(sender));
    for (const answer of ['accepted', 'released', 'rejected', 'modified'] as const) {
      container.on(answer, ({ delivery }: EventContext) => delivery && this.onAnswer(delivery, answer));
    }
    container.on('settled', ({ delivery }: EventContext) => delivery && this.onAnswer(delivery, 'unanswered'));
    container.on('protocol_error', () => {
      // What speaks no AMQP 1.0 with SASL (0-9-1, HTTP) is told which protocol we speak (protocol 13).
      if (!this.signedIn && this.socket.writable) this.socket.write(Buffer.from([0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0]));
      this.log.warn('closed a client that does not speak the protocol', { client: this.clientId });
      this.expectEnd();
    });
    container.on('error', (error: unknown) => {
      this.log.warn('closed a connection after an error', { client: this.clientId, error: String(error) });
      this.expectEnd();
    });
    container.on('connection_close', () => {
      this.letGo();
      process.nextTick(() => this.expectEnd());
    });
    // rhea prints to the console, or throws, where nobody listens to these.
    for (const name of ['connection_error', 'disconnected', 'sender_error', 'session_error']) {
      container.on(name, () => undefined);
    }
    container.on('receiver_error', () => undefined);
  }

  private onOpen(): void {
    const { minIdleTimeoutMs: min, maxIdleTimeoutMs: max } = this.rules;
    const idle = this.connection.idle_time_out;
    if (idle === undefined || idle === null || idle < min || idle > max) {
      this.log.warn('closed a client for its idle-time-out', { client: this.clientId, idleTimeOut: idle ?? 'missing' });
      this.close('amqp:invalid-field', `idle-time-out must be ${min} to ${max} milliseconds`);
      return;
    }
    // Our open goes out after this. It asks for a frame within half the time after which rhea, at twice what is asked, closes:
    // so a client that keeps the promise of its library never comes near the limit (protocol 1.7).
    this.serverSide.local.open.idle_time_out = Math.floor(idle / 2);
  }

  private onReceiverAttached(sender: Sender): void {
    // A reply without a source would say that the link is refused.
    sender.set_source({ address: sender.source?.address ?? 'default' });
    if (this.link || !this.signedIn) {
      this.log.warn('refused a second receiver link', { client: this.clientId });
      sender.close({ condition: 'amqp:not-allowed', description: 'one receiver link for each connection' });
      return;
    }
    if (!this.connection.is_open()) return;
    clearTimeout(this.setupTimer);
    this.link = sender;
    this.handed = 0;
    answerEchoes(sender, {
      available: () => (this.deaf ? 0 : (this.group?.counts.queued ?? 0)),
      hasLostCredit: () => this.lostCredit,
    });
    this.group = this.host.group(this.signedIn.group);
    if (!this.deaf) this.group?.join(this);
    const what = this.deaf ? 'client receives nothing: data sync is or was off' : 'client receives';
    this.log.info(what, { client: this.clientId, group: this.signedIn.group });
  }

  private onLinkClosed(sender: Sender | undefined): void {
    if (!sender || sender !== this.link) return;
    this.letGo();
    this.link = undefined;
    this.awaitLink();
  }

  /** The client wants what there is and its credit back. */
  private onDrain(sender: Sender): void {
    this.group?.wake();
    setImmediate(() => {
      const left = this.room();
      if (sender !== this.link || left <= 0) return;
      this.handed += left;
      sender.set_drained(true);
      this.serverSide._register(); // rhea only notes that a flow is due
    });
  }

  private onAnswer(delivery: Delivery, answer: Answer): void {
    const entry = this.unanswered.get(delivery);
    if (entry) {
      this.unanswered.delete(delivery);
      this.group?.answered(entry.queued, answer);
    }
    if (!delivery.remote_settled && answer in OUTCOMES) {
      // The client answered without settling (settle mode second): settle, and let rhea forget the delivery.
      delivery.update(true, OUTCOMES[answer]?.({}).described());
      (delivery as { remote_settled: boolean }).remote_settled = true;
    }
  }

  private onAckTimer(): void {
    this.ackTimer = undefined;
    const now = performance.now();
    for (const [delivery, { queued, sentAt }] of this.unanswered) {
      const left = sentAt + this.rules.ackTimeoutMs - now;
      if (left > 0) {
        this.ackTimer = setTimeout(() => this.onAckTimer(), left);
        return;
      }
      this.unanswered.delete(delivery);
      // An answer that still comes counts no more, so that rhea need not hold the place of this delivery for it.
      Object.assign(delivery as Forgettable, { settled: true, remote_settled: true });
      this.group?.answered(queued, 'timed-out');
    }
  }

  /** The client ends its link or connection. What it answered just before counts; rhea tells of it later in this turn. */
  private letGo(): void {
    this.group?.leave(this);
    const open = [...this.unanswered.keys()];
    process.nextTick(() => {
      for (const delivery of open) {
        const entry = this.unanswered.get(delivery);
        if (!entry) continue;
        this.unanswered.delete(delivery);
        this.group?.answered(entry.queued, 'lost');
      }
    });
  }

  /** No more answers will come on this link. */
  private returnUnanswered(): void {
    this.group?.leave(this);
    for (const { queued } of this.unanswered.values()) this.group?.answered(queued, 'lost');
    this.unanswered.clear();
    clearTimeout(this.ackTimer);
    this.ackTimer = undefined;
  }

  private watch(socket: Socket): void {
    socket.once('close', () => {
      // Not where a half-open connection's own socket ends.
      if (socket === this.socket) this.onSocketClosed();
    });
    socket.on('drain', () => this.group?.wake());
  }

  /** Drops a client for bytes that rhea would collect without looking at them. */
  private weigh(socket: Socket): void {
    const drop = (reason: string): void => {
      this.log.warn('dropped a client that sends too much', { client: this.clientId, peer: this.peer, reason });
      this.drop();
    };
    const frames = new FrameWatch(MAX_FRAME_BYTES, (bytes) => drop(`a frame of ${bytes} bytes`));
    let before = 0;
    socket.on('data', (chunk: Buffer) => {
      if (socket.destroyed) return;
      if (!this.signedIn && (before += chunk.length) > MAX_SIGN_IN_BYTES) drop(`${before} bytes before its sign-in`);
      else frames.see(chunk);
    });
  }

  private onSocketClosed(): void {
    // rhea hears of errors and of a polite end only, and would keep its timers.
    this.serverSide._disconnected();
    clearTimeout(this.setupTimer);
    clearTimeout(this.closeTimer);
    this.returnUnanswered();
    this.host.closed(this);
  }

  private awaitLink(): void {
    this.awaitSetup('no receiver link in time', () => this.close('amqp:connection:forced', 'no receiver link in time'));
  }

  private awaitSetup(msg: string, giveUp: () => void): void {
    clearTimeout(this.setupTimer);
    this.setupTimer = setTimeout(() => {
      this.log.warn(msg, { client: this.clientId });
      giveUp();
    }, this.rules.setupTimeoutMs);
  }

  /** rhea writes every frame by itself; one write for all frames of a turn is several times as fast. */
  private cork(): void {
    if (this.corked) return;
    this.corked = true;
    this.socket.cork();
    setImmediate(() => {
      this.corked = false;
      this.socket.uncork();
    });
  }
}

/** The first call sends the reset; the second has it go out although the client has not read what was written before. */
function reset(tcp: Socket): void {
  tcp.resetAndDestroy();
  tcp.destroy();
}
