// @ts-check
import rhea from 'rhea';

/**
 * Consumes with rhea, as its documentation shows.
 * @param {object} options
 * @param {number} options.port
 * @param {{ username: string, password: string }} options.signIn
 * @param {number | null} options.credit messages that may be in hand; null leaves it to rhea, whose window refills on arrival
 * @param {(body: string, accept: () => void) => void} options.onMessage
 */
export function consume({ port, signIn, credit, onMessage }) {
  const container = rhea.create_container({ id: 'bench' });
  container.on('message', ({ message, delivery, receiver }) => {
    const content = message?.body?.content;
    const bytes = Array.isArray(content) ? Buffer.concat(content) : content;
    onMessage(String(bytes), () => {
      delivery?.accept();
      if (credit !== null) receiver?.add_credit(1);
    });
  });
  container.on('receiver_open', ({ receiver }) => {
    if (credit !== null) receiver?.add_credit(credit);
  });
  for (const trouble of ['connection_error', 'receiver_error', 'disconnected', 'error']) {
    container.on(trouble, (/** @type {any} */ context) => {
      console.error(trouble, context?.error ?? context);
      process.exit(1);
    });
  }
  const connection = container.connect({
    host: '127.0.0.1',
    port,
    ...signIn,
    reconnect: false,
    idle_time_out: 60_000,
  });
  connection.open_receiver({
    source: 'default',
    autoaccept: false,
    ...(credit === null ? {} : { credit_window: 0 }),
  });
}
