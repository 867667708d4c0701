/** One message as a transport heard it, before anyone looked inside. */
export interface RawMessage {
  /** Which transport brought it, as it stands in counts and metrics: `amqp`. */
  readonly transport: string;
  /** The application property `messageId`, else `properties.message-id`, as text; null when there is neither. */
  readonly messageId: string | null;
  /** The application property `topic`; null when missing or not text. */
  readonly topic: string | null;
  /** The application property `generateTime` as text, however it was encoded; null when missing. */
  readonly generateTime: string | null;
  /** Every property that came with the message, as text, for the set-aside table. */
  readonly properties: Readonly<Record<string, string>>;
  /** The exact bytes; already decoded when Base64 was asked for and `fault` is null. */
  readonly body: Buffer;
  /** Why the transport could not get at the body (`not-base64`): such a message is refused with this reason. */
  readonly fault: RefusalReason | null;
  readonly receivedAt: Date;
  /** True when the transport says that it had been delivered before. */
  readonly redelivered?: boolean;
}

/** Why a message will never become events. These words are in the table, in the API and in metrics. */
export type RefusalReason =
  | 'not-base64'
  | 'not-json'
  | 'not-an-object'
  | 'too-deep'
  | 'invalid-body'
  | 'no-device'
  | 'no-topic'
  | 'unknown-topic'
  | 'not-storable';

/** A message that cannot be understood, with the reason and a sentence for people. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly detail: string;
}
