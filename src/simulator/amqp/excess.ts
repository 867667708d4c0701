import type { Connection } from 'rhea';

/** Sessions that a client may have at once, and how often it may attach a link: one of each is all that it needs. */
export const MAX_SESSIONS = 16;
const MAX_ATTACHES = 1_000;

/** What comes in, as rhea hands it to its connection; what these throw ends the connection. */
interface Incoming {
  on_begin: (frame: unknown) => void;
  on_attach: (frame: unknown) => void;
  on_transfer: (frame: unknown) => void;
  on_disposition: (frame: { readonly performative: { readonly first: number; readonly last?: number | null } }) => void;
  readonly remote_channel_map: Readonly<Record<string, unknown>>;
}

/**
 * Ends the connection of a client that asks for more than any would, where rhea would go along: it counts through all
 * deliveries of a disposition (4,000 million of them take half a minute, in which it does nothing else), remembers every
 * session and link, and puts together a message in however many parts although it never gave credit for one.
 */
export function forbidExcess(connection: Connection, mostUnanswered: number): void {
  const incoming = connection as unknown as Incoming;
  const [begin, attach, dispose] = [incoming.on_begin, incoming.on_attach, incoming.on_disposition];
  let attaches = 0;
  incoming.on_begin = (frame) => {
    if (Object.keys(incoming.remote_channel_map).length >= MAX_SESSIONS) throw excess(`${MAX_SESSIONS} sessions`);
    begin.call(connection, frame);
  };
  incoming.on_attach = (frame) => {
    if (++attaches > MAX_ATTACHES) throw excess(`${MAX_ATTACHES} links one after the other`);
    attach.call(connection, frame);
  };
  incoming.on_transfer = () => {
    throw new Error('a client may not send messages, nor has it credit for one');
  };
  incoming.on_disposition = (frame) => {
    const { first, last } = frame.performative;
    if ((last ?? first) - first >= mostUnanswered) throw excess(`${mostUnanswered} deliveries answered at once`);
    dispose.call(connection, frame);
  };
}

const excess = (most: string): Error => new Error(`more than ${most}`);
