import type { AddressInfo, Server, Socket } from 'node:net';
import rhea, { type Connection, type EventContext, type Sender } from 'rhea';
import { answerEchoes } from '../../src/simulator/amqp/link-state.js';

/** One receiver link of a client, as the broker saw it. */
export interface BrokerLink {
  readonly sender: Sender;
  /** Link credit after each flow frame, in order. */
  readonly flows: number[];
  /** Disposition frames of the client, in order: which deliveries, and the code of the outcome. */
  readonly dispositions: { readonly first: number; readonly last: number; readonly outcome: number }[];
  handed: number;
  unsettled: number;
  mostUnsettled: number;
  readonly address: string | null;
}

interface ServerMechanisms {
  enable_plain(check: (username: string, password: string) => boolean): void;
  enable_anonymous(): void;
}
interface Inner {
  readonly credit: number;
  readonly delivery_count: number;
}
interface DispositionFrame {
  readonly performative: {
    readonly first: number;
    readonly last?: number;
    readonly state?: { readonly descriptor?: { readonly value: number } };
  };
}

/**
 * An AMQP broker with no manners of its own, for what the simulator will not do: it sends what it is told, as fast as it has
 * credit, and remembers every frame that matters.
 */
export class BareBroker {
  readonly links: BrokerLink[] = [];
  readonly connections: Connection[] = [];
  readonly logins: { readonly username: string; readonly password: string }[] = [];
  /** idle-time-out of each open frame. */
  readonly idleTimeOuts: unknown[] = [];
  /** Outcomes of deliveries, by the id that they were sent with. */
  readonly answers = new Map<string, string[]>();
  /** Deliveries accepted. */
  acceptedCount = 0;
  cleanCloses = 0;
  /** Whether the next sign-in is let in. */
  admits: (username: string, password: string) => boolean = () => true;

  /** What links say to whoever asks for their state; null says nothing, as many a peer does. */
  waiting: number | null = null;

  /** Open sockets of clients. */
  readonly clients = new Set<Socket>();
  private readonly queue: { readonly id: string; readonly bytes: Buffer }[] = [];
  private readonly server: Server;

  private constructor(container: ReturnType<typeof rhea.create_container>) {
    const mechanisms = container.sasl_server_mechanisms as ServerMechanisms;
    mechanisms.enable_plain((username: string, password: string) => {
      this.logins.push({ username, password });
      return this.admits(username, password);
    });
    mechanisms.enable_anonymous();
    container.on('error', () => undefined);
    container.on('protocol_error', () => undefined);
    container.on('disconnected', () => undefined);
    container.on('connection_open', ({ connection }: EventContext) => {
      this.connections.push(connection);
      this.idleTimeOuts.push((connection as unknown as { idle_time_out: unknown }).idle_time_out);
    });
    container.on('connection_close', () => (this.cleanCloses += 1));
    container.on('sender_open', ({ sender }: EventContext) => sender && this.linked(sender));
    for (const outcome of ['accepted', 'released', 'rejected', 'modified']) {
      container.on(outcome, ({ delivery }: EventContext) => {
        const id = String(delivery?.tag);
        this.answers.set(id, [...(this.answers.get(id) ?? []), outcome]);
        if (outcome === 'accepted') this.acceptedCount += 1;
      });
    }
    this.server = container.listen({
      port: 0,
      host: '127.0.0.1',
      session_buffer_size: { outgoing: 65_536 },
    });
    this.server.on('connection', (socket) => {
      this.clients.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => this.clients.delete(socket));
    });
  }

  static async start(): Promise<BareBroker> {
    const broker = new BareBroker(rhea.create_container({ id: 'bare-broker' }));
    await new Promise((resolve) => broker.server.once('listening', resolve));
    return broker;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `amqp://127.0.0.1:${this.port}`;
  }

  /** The link that came last. */
  get link(): BrokerLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error('nobody has attached yet');
    return link;
  }

  /** The messages that were accepted, in the order of their first answer. */
  get accepted(): string[] {
    return [...this.answers].filter(([, answers]) => answers.includes('accepted')).map(([id]) => id);
  }

  /** Queues messages; each is sent on the newest link as soon as that has credit. */
  send(...messages: { readonly id: string; readonly message: Record<string, unknown> | Buffer }[]): void {
    for (const { id, message } of messages) {
      this.queue.push({ id, bytes: Buffer.isBuffer(message) ? message : rhea.message.encode(message) });
    }
    this.pump();
  }

  /** Ends the sockets without a word. */
  drop(): void {
    // With an error, so that rhea stops its timers.
    for (const socket of this.clients) socket.destroy(new Error('dropped'));
  }

  /** Keeps the sockets of today's clients open and says nothing on them any more, not even a heartbeat. */
  fallSilent(): void {
    for (const socket of this.clients) socket.write = () => true;
  }

  /** Loses count of the newest link's credit, until that is told it again. */
  forgetCredit(): void {
    Object.assign(this.link.sender, { credit: 0 });
  }

  /** Writes raw bytes to every client. */
  write(bytes: Buffer): void {
    for (const socket of this.clients) socket.write(bytes);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.drop();
    await closed;
  }

  private linked(sender: Sender): void {
    const link: BrokerLink = {
      sender,
      flows: [],
      dispositions: [],
      handed: 0,
      unsettled: 0,
      mostUnsettled: 0,
      address: sender.source?.address ?? null,
    };
    this.links.push(link);
    const inner = sender.session as unknown as { on_disposition(frame: DispositionFrame): void };
    const onDisposition = inner.on_disposition.bind(sender.session);
    inner.on_disposition = (frame) => {
      const { first, last: end, state } = frame.performative;
      const last = end ?? first;
      link.dispositions.push({ first, last, outcome: state?.descriptor?.value ?? 0 });
      link.unsettled -= last - first + 1;
      onDisposition(frame);
    };
    const { waiting } = this;
    if (waiting !== null) answerEchoes(sender, { available: () => waiting, hasLostCredit: () => false });
    sender.on('sender_flow', () => {
      link.flows.push((sender as unknown as Inner).credit);
      this.pump();
    });
  }

  private pump(): void {
    const link = this.links.at(-1);
    if (!link?.sender.is_open()) return;
    // rhea transfers later in this turn and lowers the credit only then: count what was handed over since.
    const { credit, delivery_count: transferred } = link.sender as unknown as Inner;
    const room = Math.max(0, credit - (link.handed - transferred));
    for (const { id, bytes } of this.queue.splice(0, room)) {
      link.sender.send(bytes, Buffer.from(id), 0);
      link.handed += 1;
      link.unsettled += 1;
      link.mostUnsettled = Math.max(link.mostUnsettled, link.unsettled);
    }
  }
}
