import type { Socket } from 'node:net';
import rhea, { type Connection, type EventContext, type Receiver, type Session } from 'rhea';
import type { RebuildCause } from '../../domain/ingest-status.js';
import type { Room } from '../../ingest/room.js';
import type { SignIn, SignInSettings } from './credentials.js';
import { type Endpoint, openSocket } from './endpoint.js';
import { askPeerState, onPeerState } from './link-state.js';
import { LinkWatch, type WatchTiming } from './link-watch.js';
import { explainLoss, type Loss, type Phase } from './loss.js';

export interface LinkOptions {
  readonly endpoint: Endpoint;
  readonly caFile: string | undefined;
  readonly mode: SignInSettings['amqpAuthMode'];
  readonly signIn: SignIn | null;
  readonly containerId: string;
  readonly address: string;
  /** Messages that may be in hand: on their way to us, or here without an answer. */
  readonly credit: number;
  /** Sent in the open frame; the platform wants 30,000 to 300,000 (protocol 1.7). */
  readonly idleTimeOutMs: number;
  /** From the first packet to the open link. The platform gives 15 s for each half of it. */
  readonly openWithinMs: number;
  /** When an open link on which nothing comes is given up. */
  readonly watch: WatchTiming;
}

/** What a link tells its owner. */
export interface LinkEvents {
  onOpen(): void;
  /** The bytes of one message, and how to accept it. An exception leaves the message unanswered and the link alive. */
  onMessage(transfer: Buffer, accept: () => void): void;
  /**
   * Once, whatever the cause, unless the link was closed from our side. Nothing comes after it.
   * @param rebuild why a link that seemed open was given up; null when it was lost.
   */
  onLost(loss: Loss, rebuild: RebuildCause | null): void;
  /** `onMessage` threw. */
  onFault(error: unknown): void;
}

const MAX_FRAME_BYTES = 1024 * 1024;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Any message format but 0, for which rhea would read the message itself. */
const NOT_READ_BY_RHEA = 1;

/** What we use of rhea beyond its published types; `package.json` pins the version, tests hold it. */
interface InnerSession {
  on_transfer(frame: { readonly performative: { message_format?: number }; payload?: Buffer }): void;
}
interface InnerConnection {
  readonly remote: { readonly open?: { idle_time_out?: number | null } };
  /** Size of the frame that is being collected. */
  readonly frame_size?: number;
  idle(): void;
}

/**
 * One connection with its one receiving link, from the first packet to its end. It is never used a second time: rhea's own
 * reconnecting keeps links whose deliveries and credit are gone, gives up after refused credentials and some conditions, and
 * does not reopen a link that the peer detached.
 */
export class AmqpLink {
  private phase: Phase = 'connecting';
  private over = false;
  private taking = true;
  private granted = 0;
  /** Credit to give back, once there is room. */
  private owed = 0;
  private messages = 0;
  private inHand = 0;
  private peerEnded = false;
  private heardAt = performance.now();
  private readonly idleTimer: NodeJS.Timeout;
  private socket: Socket | null = null;
  private readonly connection: Connection;
  private receiver: Receiver | null = null;
  private readonly openTimer: NodeJS.Timeout;
  private watch: LinkWatch | null = null;
  private readonly forgetRoom: () => void;
  private readonly closed: Promise<void>;
  private tellClosed: () => void = () => undefined;

  constructor(
    private readonly options: LinkOptions,
    private readonly room: Room,
    private readonly events: LinkEvents,
  ) {
    this.closed = new Promise((resolve) => {
      this.tellClosed = resolve;
    });
    this.forgetRoom = room.onOpen(() => {
      this.heardAt = performance.now();
      this.socket?.resume();
      this.giveCredit();
    });
    this.idleTimer = setInterval(() => this.checkIdle(), options.idleTimeOutMs / 4);
    this.openTimer = setTimeout(() => this.noAnswer(), options.openWithinMs);
    this.connection = this.connect();
  }

  /** Credit granted to the peer and not used yet. */
  get credit(): number {
    return this.over ? 0 : this.granted;
  }

  get isOpen(): boolean {
    return this.phase === 'open' && !this.over;
  }

  /** From now on messages are left unanswered. What is in hand can still be accepted. */
  stopTaking(): void {
    this.taking = false;
  }

  /** Sends the answers given so far, closes the connection and waits for the peer to do the same, but not for ever. */
  async close(withinMs: number): Promise<void> {
    this.taking = false;
    if (!this.isOpen) {
      this.end();
      return;
    }
    const timer = setTimeout(() => this.end(), withinMs);
    this.socket?.resume();
    this.connection.close();
    await this.closed;
    clearTimeout(timer);
  }

  private connect(): Connection {
    const { endpoint, caFile, idleTimeOutMs } = this.options;
    const container = rhea.create_container({ id: this.options.containerId });
    // Everything bubbles up to the container. Without a listener, `error` would end the process.
    container.on('connection_open', () => this.connectionOpened());
    container.on('receiver_open', (context: EventContext) => this.linkOpened(context));
    container.on('message', (context: EventContext) => this.heard(context));
    container.on('receiver_error', (context: EventContext) => this.lost(context.receiver?.error));
    container.on('receiver_close', () => this.lost('the peer detached the link'));
    container.on('session_error', (context: EventContext) => this.lost(context.session?.error));
    container.on('session_close', () => this.lost('the peer ended the session'));
    container.on('connection_error', (context: EventContext) => this.lost(context.error ?? context.connection.error));
    container.on('connection_close', () => this.lost('the peer closed the connection'));
    container.on('disconnected', (context: EventContext) => this.lost(context.error ?? this.howItEnded()));
    container.on('protocol_error', (error: unknown) => this.lost(error));
    container.on('error', (error: unknown) => this.lost(error));

    const options = {
      host: endpoint.host,
      port: endpoint.port,
      container_id: this.options.containerId,
      reconnect: false,
      idle_time_out: idleTimeOutMs,
      max_frame_size: MAX_FRAME_BYTES,
      sasl_mechanisms: saslMechanism(this.options.signIn),
      connection_details: () => ({
        host: endpoint.host,
        port: endpoint.port,
        connect: (_port: number, _host: string, _options: unknown, connected: () => void) => {
          const socket = openSocket(endpoint, caFile, () => {
            this.phase = 'signing in';
            connected();
          });
          this.socket = socket;
          // Behind rhea's own listener, to see what the bytes did to it.
          process.nextTick(() => socket.on('data', () => this.heardBytes()));
          socket.on('error', () => undefined); // rhea tells it; one that it no longer hears must not end the process
          socket.on('end', () => (this.peerEnded = true));
          socket.on('close', () => this.lost(this.howItEnded()));
          return socket;
        },
      }),
    };
    const connection = container.create_connection(options);
    // rhea forgets its own timer while a frame is incomplete, and knows nothing of a socket that we do not read from.
    (connection as unknown as InnerConnection).idle = () => undefined;
    try {
      connection.connect();
      this.attach(connection);
    } catch (error) {
      queueMicrotask(() => this.lost(error)); // not before the constructor is done
    }
    return connection;
  }

  /** The receiver is attached with the first packets, long before the platform's 15 s are over (protocol 2). */
  private attach(connection: Connection): void {
    const { credit, address } = this.options;
    // rhea keeps unsettled deliveries in a ring: it must be larger than what we let ourselves have in hand.
    const session = connection.create_session({ incoming: Math.max(2_048, 2 * credit), outgoing: 16 });
    keepTransfersUnread(session);
    session.begin();
    session.open_receiver({
      source: { address },
      // rhea's own window is topped up as messages arrive, answered or not, so it bounds nothing.
      credit_window: 0,
      autoaccept: false,
      snd_settle_mode: 0,
      rcv_settle_mode: 0,
      max_message_size: MAX_MESSAGE_BYTES,
    });
  }

  private connectionOpened(): void {
    this.phase = 'attaching';
    // A peer that names no time-out of its own may still have one: it hears from us as often as we want to hear from it.
    const { open } = (this.connection as unknown as InnerConnection).remote;
    if (open && !open.idle_time_out) open.idle_time_out = this.options.idleTimeOutMs;
  }

  private linkOpened({ receiver }: EventContext): void {
    if (this.over || receiver === undefined) return;
    clearTimeout(this.openTimer);
    this.phase = 'open';
    this.receiver = receiver;
    this.owed = this.options.credit;
    this.events.onOpen();
    this.giveCredit();
    const watch = new LinkWatch(
      this.options.watch,
      () => ({
        expecting: this.taking && this.granted > 0 && this.room.isOpen && this.socket?.isPaused() !== true,
        messages: this.messages,
        inHand: this.inHand,
        heardAt: this.heardAt,
      }),
      () => askPeerState(receiver),
      (cause, reason) => this.giveUp(cause, reason),
    );
    this.watch = watch;
    onPeerState(receiver, (state) => watch.answered(state));
  }

  private heard({ message, delivery }: EventContext): void {
    this.granted -= 1;
    this.messages += 1;
    if (this.over || !this.taking || delivery === undefined) return;
    this.inHand += 1;
    // An exception would be caught by rhea, which then drops the connection: the same message would come again for ever.
    try {
      const transfer: unknown = message;
      if (!Buffer.isBuffer(transfer)) throw new TypeError('rhea handed over a message instead of its bytes');
      this.events.onMessage(transfer, () => {
        if (this.over) return; // answers of a lost link go nowhere, and earn no credit
        delivery.accept();
        this.inHand -= 1;
        this.owed += 1;
        this.giveCredit();
      });
    } catch (error) {
      this.inHand -= 1; // nobody will ever answer it
      this.events.onFault(error);
    }
    // Credit that is granted already cannot be taken back; what it brings waits in the socket.
    if (!this.room.isOpen) this.socket?.pause();
  }

  /** rhea sends all that is granted in one turn of the event loop as one frame. */
  private giveCredit(): void {
    if (this.over || !this.taking || this.receiver === null || !this.room.isOpen || this.owed === 0) return;
    this.granted += this.owed;
    this.receiver.add_credit(this.owed);
    this.owed = 0;
  }

  private heardBytes(): void {
    this.heardAt = performance.now();
    // rhea would collect any number of bytes, if that is what a frame says that it has.
    const { frame_size: frameBytes } = this.connection as unknown as InnerConnection;
    if (frameBytes !== undefined && frameBytes > MAX_FRAME_BYTES) {
      this.lost(`the peer sends a frame of ${frameBytes} bytes, or does not speak AMQP`);
    }
  }

  /** As the specification has it: a peer that is silent for twice the time that we asked for is gone. */
  private checkIdle(): void {
    if (this.socket?.isPaused() === true) return;
    const { idleTimeOutMs } = this.options;
    if (performance.now() - this.heardAt < 2 * idleTimeOutMs) return;
    this.giveUp('half-open', `nothing was heard for ${(2 * idleTimeOutMs) / 1000} s`);
  }

  private noAnswer(): void {
    this.lost({ code: 'ETIMEDOUT', message: `no link within ${this.options.openWithinMs} ms` });
  }

  private howItEnded(): string {
    return this.peerEnded ? 'the peer closed the socket' : 'the socket broke';
  }

  private lost(fault: unknown, rebuild: RebuildCause | null = null): void {
    if (this.over) return;
    const closing = !this.taking;
    const loss = explainLoss(fault, this.phase, this.options.mode);
    this.end();
    if (!closing) this.events.onLost(loss, rebuild);
  }

  /** A peer that still hears us is told, since the platform may serve the oldest connection alone (protocol 4.3). */
  private giveUp(cause: RebuildCause, reason: string): void {
    if (this.isOpen) this.connection.close();
    this.lost(reason, cause);
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.openTimer);
    clearInterval(this.idleTimer);
    this.watch?.stop();
    this.forgetRoom();
    this.tellClosed();
    const { socket } = this;
    // After this turn, so that rhea can still write its close frame. The error makes rhea clear its timers.
    if (socket !== null) setImmediate(() => socket.destroy(new Error('the link is over')));
  }
}

/**
 * Our own, because rhea's counts characters where SASL counts bytes, and enters anonymously when the password is empty.
 */
function saslMechanism(signIn: SignIn | null): Record<string, () => SaslClientMechanism> {
  const [name, response] =
    signIn === null
      ? (['ANONYMOUS', Buffer.from('living-mirror')] as const)
      : (['PLAIN', Buffer.from(`\0${signIn.username}\0${signIn.password}`, 'utf8')] as const);
  const start: SaslClientMechanism['start'] = (callback) => callback(undefined, response);
  return Object.assign(Object.create(null) as Record<string, never>, { [name]: () => ({ start }) });
}

interface SaslClientMechanism {
  start(callback: (error: undefined, response: Buffer) => void): void;
}

/** Makes rhea hand over messages as bytes; why we read them ourselves is said in `wire-value.ts`. */
function keepTransfersUnread(session: Session): void {
  const inner = session as unknown as InnerSession;
  const onTransfer = inner.on_transfer.bind(session);
  inner.on_transfer = (frame) => {
    frame.performative.message_format = NOT_READ_BY_RHEA;
    frame.payload ??= Buffer.alloc(0);
    onTransfer(frame);
  };
}
