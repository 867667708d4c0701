import { createHmac } from 'node:crypto';
import rhea from 'rhea';
import type { Connection, ConnectionOptions, Delivery, EventContext, Message, Receiver, ReceiverOptions } from 'rhea';
import type { Simulator } from '../../src/simulator/simulator.js';

/** userName and password of the demo Living app, written down here once more, apart from the simulator's own code. */
export function livingLogin(clientId = 'test', random = '1700000000000'): { username: string; password: string } {
  return {
    username: `${clientId}|authMode=appkey,signMethod=SHA256,random=${random},appKey=90001234,groupId=90001234|`,
    password: createHmac('sha256', 'demoAppSecret-7f3a').update(`random=${random}`).digest('hex'),
  };
}

/** The same for the demo Enterprise instance. */
export function enterpriseLogin(
  group = 'demoGroup000100',
  clientId = 'test',
  extra = '',
): { username: string; password: string } {
  const timestamp = '1700000000000';
  const params = `authMode=aksign,signMethod=hmacsha1,timestamp=${timestamp},authId=demoAccessKeyId01,iotInstanceId=iot-demo0001`;
  return {
    username: `${clientId}|${params},consumerGroupId=${group}${extra}|`,
    password: createHmac('sha1', 'demoAccessKeySecret-9c1d')
      .update(`authId=demoAccessKeyId01&timestamp=${timestamp}`)
      .digest('base64'),
  };
}

export interface Received {
  readonly message: Message;
  readonly delivery: Delivery;
  readonly id: string;
}

/** A consumer made of rhea alone: it answers and grants credit only when told to. */
export class RawClient {
  readonly received: Received[] = [];
  /** Names of the rhea events that happened, oldest first, with the condition where there is one. */
  readonly happened: string[] = [];
  readonly connection: Connection;
  receiver: Receiver | undefined;
  onMessage: ((received: Received) => void) | undefined;

  constructor(simulator: Pick<Simulator, 'host' | 'plainPort'>, options: Partial<ConnectionOptions> = {}) {
    const container = rhea.create_container({ id: 'raw-client' });
    container.on('message', ({ message, delivery }: EventContext) => {
      if (!message || !delivery) return;
      const received = { message, delivery, id: String(message.application_properties?.messageId) };
      this.received.push(received);
      this.onMessage?.(received);
    });
    const names = ['connection_open', 'connection_close', 'connection_error', 'disconnected', 'receiver_open'];
    for (const name of [...names, 'receiver_close', 'receiver_error', 'sender_close', 'sender_error', 'error']) {
      container.on(name, (context: EventContext) => {
        const error = (name.startsWith('sender') ? context.sender : (context.receiver ?? context.connection))?.error;
        const condition = error && 'condition' in error ? ` ${String(error.condition)}` : '';
        this.happened.push(`${name}${condition}`);
      });
    }
    this.connection = container.connect({
      host: simulator.host,
      port: simulator.plainPort ?? 0,
      idle_time_out: 60_000,
      reconnect: false,
      session_buffer_size: 8_192,
      ...livingLogin(),
      ...options,
    } as ConnectionOptions);
  }

  /** Attaches a receiver that gets `credit` messages and no more. */
  receive(credit: number, address: string | null = 'default', options: ReceiverOptions = {}): this {
    const source = address === null ? {} : { source: address };
    this.receiver = this.connection.open_receiver({ ...source, credit_window: 0, autoaccept: false, ...options });
    if (credit > 0) this.receiver.add_credit(credit);
    return this;
  }

  get ids(): string[] {
    return this.received.map(({ id }) => id);
  }

  has(event: string): boolean {
    return this.happened.includes(event);
  }
}

/** Waits for a condition, however long it takes; jest ends the wait when it never comes. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** The bytes of a body, in whatever section they came. */
export function bodyOf({ message }: Received): Buffer {
  const body: unknown = message.body;
  const content: unknown = typeof body === 'object' && body !== null && 'content' in body ? body.content : body;
  if (Array.isArray(content)) return Buffer.concat(content as Buffer[]);
  return Buffer.isBuffer(content) ? content : Buffer.from(String(content));
}
