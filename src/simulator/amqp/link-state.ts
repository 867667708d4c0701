import type { Sender } from 'rhea';

/** The parts of rhea's objects that its type declarations leave out. */
interface FlowFrame {
  readonly performative: { readonly echo?: boolean | null };
}
interface SendingLink {
  on_flow: (frame: FlowFrame) => void;
  credit: number;
  readonly session: {
    output: (performative: object) => void;
    _write_flow(link: unknown): void;
  };
}

/** How the platform sees a link. */
export interface LinkState {
  /** Messages that wait for the client (AMQP 2.6.7). */
  readonly available: () => number;
  /** Whether it has lost the link's credit and takes no notice of more. */
  readonly hasLostCredit: () => boolean;
}

/** Answers a client that asks for our state of its link (AMQP 2.7.4, echo), which rhea passes over. */
export function answerEchoes(sender: Sender, { available, hasLostCredit }: LinkState): void {
  const link = sender as unknown as SendingLink;
  const onFlow = link.on_flow.bind(sender);
  link.on_flow = (frame) => {
    onFlow(frame);
    if (hasLostCredit()) link.credit = 0;
    if (frame.performative.echo === true) tell(link, available());
  };
}

function tell(link: SendingLink, available: number): void {
  const { session } = link;
  const { output } = session;
  session.output = (flow) => output.call(session, Object.assign(flow, { available }));
  session._write_flow(link);
  session.output = output;
}
