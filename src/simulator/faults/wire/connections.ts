import { defineFault } from '../fault.js';
import { count, duration, text } from '../parameters.js';

// What happens to the clients' connections that are open at that moment. Durations here are the world's: a client runs no faster.

export const drop = defineFault({
  name: 'drop',
  meaning: "resets every client's TCP connection, as if the cable were pulled",
  course: 'once',
  parameters: {},
  begin: (_, { target, did }) => {
    did('dropped connections', target.dropConnections());
    return {};
  },
});

export const cut = defineFault({
  name: 'cut',
  meaning: 'resets each connection after it was sent so many more bytes, in the middle of whatever that is',
  course: 'once',
  parameters: { bytes: count(1_000, 0, 1_000_000_000, 'after how many bytes to the client') },
  begin: ({ bytes }, { target, did }) => {
    did('connections to be cut', target.cutAfter(bytes));
    return {};
  },
});

export const halfOpen = defineFault({
  name: 'half-open',
  meaning: 'connections stay open, but nothing is read from them or written to them',
  course: 'once',
  parameters: { lasting: duration('2m', 'for how long, in the time of the world') },
  begin: ({ lasting }, { target, did }) => {
    did('half-open connections', target.halfOpen(lasting));
    return {};
  },
});

export const silentLink = defineFault({
  name: 'silent-link',
  meaning: 'links stay open and keep their credit, but nothing is sent on them until the client connects again',
  course: 'once',
  parameters: {},
  begin: (_, { target, did }) => {
    did('silent links', target.silenceLinks());
    return {};
  },
});

export const lostCredit = defineFault({
  name: 'lost-credit',
  meaning: 'the platform forgets the credit of open links, and what they grant later, until the client connects again',
  course: 'once',
  parameters: {},
  begin: (_, { target, did }) => {
    did('links without credit', target.forgetCredit());
    return {};
  },
});

export const maintenance = defineFault({
  name: 'maintenance',
  meaning: 'closes every connection with an AMQP condition (protocol 13)',
  course: 'once',
  parameters: {
    condition: text('amqp:connection:forced', 'the condition of the close'),
    description: text('the platform is being maintained', 'its description'),
  },
  begin: ({ condition, description }, { target, did }) => {
    did('closed connections', target.closeConnections(condition, description));
    return {};
  },
});

export const detach = defineFault({
  name: 'detach',
  meaning: 'detaches every receiver link and leaves the connections open',
  course: 'once',
  parameters: {
    condition: text('amqp:link:detach-forced', 'the condition of the detach'),
    description: text('detached by the platform', 'its description'),
  },
  begin: ({ condition, description }, { target, did }) => {
    did('detached links', target.detachLinks(condition, description));
    return {};
  },
});

export const slowTls = defineFault({
  name: 'slow-tls',
  meaning: 'holds up every TLS handshake',
  course: 'lasting',
  parameters: { delay: duration('10s', 'for how long, in the time of the world') },
  begin: ({ delay }, { target }) => {
    target.slowTls(delay);
    return { end: () => target.slowTls(0) };
  },
});

export const refusedLogins = defineFault({
  name: 'refused-logins',
  meaning: 'refuses every sign-in (SASL outcome 1); open connections stay',
  course: 'lasting',
  parameters: {},
  begin: (_, { refuseLogins }) => {
    refuseLogins(true);
    return { end: () => refuseLogins(false) };
  },
});
