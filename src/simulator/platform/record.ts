import type { PlatformMessage } from './platform-message.js';
import { queuedMessage, type QueuedMessage } from './queued-message.js';

/** Everything of a message but its body, in the order of a record. */
const FIELDS = [
  'id',
  'anonymous',
  'topic',
  'bodyForm',
  'generateTime',
  'qos',
  'properties',
  'tenant',
  'publishedAt',
] as const satisfies readonly (keyof PlatformMessage)[];

/** Does not compile when `PlatformMessage` gets a field that a record would lose. */
type Forgotten = Exclude<keyof PlatformMessage, (typeof FIELDS)[number] | 'body'>;
const nothingForgotten: [Forgotten] extends [never] ? true : Forgotten = true;
void nothingForgotten;

/** publishedAt (double), deliveries, length of the fields. */
const HEAD_BYTES = 16;

/** A queued message as bytes that can be put away: lean in memory, and what stands on disk. */
export class MessageRecord {
  private readonly fields: string;
  private readonly fieldBytes: number;
  readonly bytes: number;

  constructor(private readonly queued: QueuedMessage) {
    const { message } = queued;
    this.fields = JSON.stringify(FIELDS.map((field) => message[field]));
    this.fieldBytes = Buffer.byteLength(this.fields);
    this.bytes = HEAD_BYTES + this.fieldBytes + message.body.length;
  }

  /** Writes all `bytes` of it. */
  write(target: Buffer, offset: number): void {
    const { message, deliveries } = this.queued;
    target.writeDoubleLE(message.publishedAt, offset);
    target.writeUInt32LE(deliveries, offset + 8);
    target.writeUInt32LE(this.fieldBytes, offset + 12);
    target.write(this.fields, offset + HEAD_BYTES, 'utf8');
    message.body.copy(target, offset + HEAD_BYTES + this.fieldBytes);
  }

  toBuffer(): Buffer {
    const buffer = Buffer.allocUnsafe(this.bytes);
    this.write(buffer, 0);
    return buffer;
  }
}

/** When the message of a record was published, without reading the rest. */
export const publishedAtOf = (record: Buffer): number => record.readDoubleLE(0);

/** The body shares the record's memory. Throws `RangeError` or `SyntaxError` where the bytes are no record. */
export function readRecord(record: Buffer): QueuedMessage {
  const end = HEAD_BYTES + record.readUInt32LE(12);
  if (end > record.length) throw new RangeError('record is cut short');
  const values = JSON.parse(record.toString('utf8', HEAD_BYTES, end)) as unknown[];
  const message: Record<string, unknown> = { body: record.subarray(end) };
  FIELDS.forEach((field, index) => (message[field] = values[index]));
  return queuedMessage(message as unknown as PlatformMessage, record.readUInt32LE(8));
}
