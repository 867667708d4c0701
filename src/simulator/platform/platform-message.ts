/** How the bytes of a body travel. The platform sends one data section; clients should take the others too (protocol 3). */
export type BodyForm = 'data' | 'several-data' | 'value-string' | 'value-binary';

export type PropertyValue = string | number | boolean | null;

/** A message to be delivered to the consumer groups, as a test or the fleet hands it in. */
export interface Publication {
  /** The forwarding topic (protocol 6); null sends none. */
  readonly topic: string | null;
  /** Text goes out as UTF-8. */
  readonly body: string | Uint8Array;
  /** A decimal number of 18 digits is made when absent; null sends none at all. */
  readonly messageId?: string | null;
  /** Milliseconds since 1970, sent as an AMQP long (a string as a string); now when absent; null sends none. */
  readonly generateTime?: number | string | null;
  /** 1 when absent; null sends none. */
  readonly qos?: number | null;
  /** Further application properties; they win over the usual ones of the same name. */
  readonly properties?: Readonly<Record<string, PropertyValue>>;
  readonly bodyForm?: BodyForm;
  /** Whose cloud says it, see `livingTenant` and `enterpriseTenant`; null or absent is everybody's. */
  readonly tenant?: string | null;
  /** Where it came from, for the message log; `control` when absent. */
  readonly origin?: Origin;
}

/** Who handed a message in, and what the device sent where that is something else than what the platform forwards. */
export interface Origin {
  readonly from: 'fleet' | 'mqtt' | 'control' | 'rule' | 'fault';
  /** The device's own topic and bytes. */
  readonly uplink?: { readonly topic: string; readonly body: Uint8Array };
  /** The rule or the fault. */
  readonly by?: string;
  /** Id of the message that a rule made this one of. */
  readonly of?: string;
}

/** A published message. Every delivery of it carries the same id and bytes. */
export interface PlatformMessage {
  /** Names the message in the simulator; sent as messageId unless `anonymous`. */
  readonly id: string;
  readonly anonymous: boolean;
  readonly topic: string | null;
  readonly body: Buffer;
  readonly bodyForm: BodyForm;
  readonly generateTime: number | string | null;
  readonly qos: number | null;
  readonly properties: Readonly<Record<string, PropertyValue>>;
  readonly tenant: string | null;
  /** When it was published, by the simulator's clock; it is kept for a day from then. */
  readonly publishedAt: number;
}
