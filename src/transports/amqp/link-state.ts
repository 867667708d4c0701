import type { Receiver } from 'rhea';
import type { PeerState } from './link-watch.js';

/** What we use of rhea beyond its published types; `package.json` pins the version, tests hold it. */
interface FlowFrame {
  readonly performative: {
    readonly link_credit?: number | null;
    readonly available?: number | null;
  };
}
interface InnerReceiver {
  on_flow(frame: FlowFrame): void;
}
interface InnerSession {
  output: (performative: { echo?: boolean }) => void;
  _write_flow(link: Receiver): void;
}

/** rhea says only that a flow came, not what was in it. */
export function onPeerState(receiver: Receiver, tell: (state: PeerState) => void): void {
  const inner = receiver as unknown as InnerReceiver;
  const onFlow = inner.on_flow.bind(receiver);
  inner.on_flow = (frame) => {
    onFlow(frame);
    const { link_credit: credit, available } = frame.performative;
    tell({ credit: credit ?? undefined, available: available ?? undefined });
  };
}

/**
 * Sends our state of the link, our whole credit with it, and asks for the peer's (AMQP 2.7.4: it should answer as soon as it
 * can). rhea never sets echo.
 */
export function askPeerState(receiver: Receiver): void {
  const session = receiver.session as unknown as InnerSession;
  const { output } = session;
  session.output = (flow) => {
    flow.echo = true;
    output.call(session, flow);
  };
  session._write_flow(receiver);
  session.output = output;
}
