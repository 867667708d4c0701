import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import rhea from 'rhea';
import { MessageCondemned } from '../../src/domain/event-sink.js';
import { type AmqpRig, aWireReport, startRig } from '../support/amqp-rig.js';
import { BareBroker } from '../support/bare-broker.js';
import { MemorySink } from '../support/memory-sink.js';
import { quiet, until } from '../support/until.js';

// One test or more for each number of the notes on rhea: what it does that would lose, double or block messages.

let broker: BareBroker;
let rig: AmqpRig | null = null;

beforeEach(async () => {
  broker = await BareBroker.start();
});
afterEach(async () => {
  await rig?.stop();
  rig = null;
  await broker.stop();
});

function consume(given: Partial<Parameters<typeof startRig>[0]> = {}): AmqpRig {
  rig = startRig({ ...given, settings: { amqpUrl: broker.url, ...given.settings } });
  return rig;
}

/** A report as rhea encodes it, by its id. */
function report(id: string): { id: string; message: Record<string, unknown> } {
  const { topic, body } = aWireReport(id);
  return {
    id,
    message: {
      message_id: id,
      application_properties: { topic, messageId: id, generateTime: rhea.types.wrap_long(1_700_000_000_000) },
      body: rhea.message.data_section(Buffer.from(body)),
    },
  };
}

function ids(count: number, prefix = ''): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

const ACCEPTED = 0x24;

describe('1. outcomes', () => {
  it('are never mixed: refused, condemned and good messages of one turn are all accepted', async () => {
    const sink = new MemorySink((batch) =>
      batch.some(({ raw, refusal }) => raw.messageId === 'condemned' && refusal === null)
        ? new MessageCondemned('22P05')
        : undefined,
    );
    consume({ sink });
    broker.send(report('good'), { id: 'poison', message: { body: 'x' } }, report('condemned'), report('last'));
    await until(() =>
      expect([...broker.answers.values()]).toEqual([['accepted'], ['accepted'], ['accepted'], ['accepted']]),
    );
    expect(broker.link.dispositions.every(({ outcome }) => outcome === ACCEPTED)).toBe(true);
    expect(Object.keys(sink.aside)).toHaveLength(2);
  });

  it('of a batch go out in one frame, and the credit for it in one more', async () => {
    const sink = new MemorySink();
    const { ingestor } = consume({ sink, settings: { amqpUrl: broker.url, amqpCredit: 100 } });
    sink.hold();
    broker.send(...ids(100).map(report));
    await until(() => expect(ingestor.counts().inHand).toBe(100));
    expect(broker.link.flows).toEqual([100]);
    sink.release();
    await until(() => expect(broker.acceptedCount).toBe(100));
    await until(() => expect(broker.link.flows.at(-1)).toBe(100));
    // The first piece off the socket may have become a batch of its own before the rest was here.
    expect(broker.link.dispositions.length).toBeLessThanOrEqual(2);
    expect(broker.link.flows.length).toBeLessThanOrEqual(3);
  });
});

describe('2. credit', () => {
  it('bounds what is in hand', async () => {
    const sink = new MemorySink();
    sink.hold();
    const { ingestor, connection } = consume({ sink, settings: { amqpUrl: broker.url, amqpCredit: 10 } });
    broker.send(...ids(300).map(report));
    await until(() => expect(ingestor.counts().inHand).toBe(10));
    expect(connection().credit).toBe(0);
    sink.release();
    await until(() => expect(broker.acceptedCount).toBe(300));
    expect(broker.link.mostUnsettled).toBe(10);
    await until(() => expect(connection().credit).toBe(10));
  });

  it('that brings more bytes than may be in hand leaves them in the socket', async () => {
    const sink = new MemorySink();
    sink.hold();
    const large = 'x'.repeat(500_000);
    const { ingestor } = consume({
      sink,
      settings: { amqpUrl: broker.url, amqpCredit: 100 },
      ingest: { maxBytesInHand: 1_000_000 },
    });
    broker.send(...ids(50).map((id) => ({ id, message: { ...report(id).message, body: `"${id}${large}"` } })));
    await until(() => expect(ingestor.room.isOpen).toBe(false));
    // A message is never cut, and what came in one piece with it is taken too.
    expect(await quiet(() => ingestor.bytesInHand())).toBeLessThan(2_600_000);
    sink.release();
    await until(() => expect(broker.acceptedCount).toBe(50));
    expect(ingestor.bytesInHand()).toBe(0);
    await until(() => expect(broker.link.flows.at(-1)).toBe(100));
  });

  it('is not given back while too many bytes are in hand', async () => {
    const sink = new MemorySink();
    const releaseFirst = sink.hold();
    const { ingestor } = consume({
      sink,
      settings: { amqpUrl: broker.url, amqpCredit: 10 },
      ingest: { maxBytesInHand: 1_000 },
    });
    broker.send(report('small'));
    await until(() => expect(sink.writes).toBe(1));
    const releaseSecond = sink.hold();
    broker.send({ id: 'large', message: { ...report('large').message, body: 'x'.repeat(2_000) } });
    await until(() => expect(ingestor.room.isOpen).toBe(false));
    releaseFirst();
    await until(() => expect(broker.accepted).toEqual(['small']));
    expect(await quiet(() => broker.link.flows.length)).toBe(1);
    releaseSecond();
    await until(() => expect(broker.accepted).toEqual(['small', 'large']));
    await until(() => expect(broker.link.flows).toEqual([10, 10]));
  });
});

describe('3. the ring of unsettled deliveries', () => {
  it('does not fill up', async () => {
    consume({ settings: { amqpUrl: broker.url, amqpCredit: 500 } });
    await until(() => broker.link);
    for (let round = 0; round < 3; round += 1) {
      broker.send(...ids(900, `${round}-`).map(report));
      await until(() => expect(broker.acceptedCount).toBe((round + 1) * 900));
    }
    expect(broker.links.length).toBe(1);
  });

  it('holds more than the usual 2,048 when more credit is asked for', async () => {
    const sink = new MemorySink();
    sink.hold();
    const { ingestor } = consume({ sink, settings: { amqpUrl: broker.url, amqpCredit: 3_000 } });
    await until(() => broker.link);
    for (const part of [ids(1_500, 'a'), ids(1_500, 'b')]) {
      broker.send(...part.map(report));
      const sent = part[0]?.startsWith('a') ? 1_500 : 3_000;
      await until(() => expect(ingestor.counts().inHand).toBe(sent));
    }
    sink.release();
    await until(() => expect(broker.acceptedCount).toBe(3_000));
    expect(broker.links.length).toBe(1);
  });
});

describe('4. a new link', () => {
  it('gets its credit afresh, and none for messages of the lost one', async () => {
    const sink = new MemorySink();
    sink.hold();
    const { ingestor } = consume({ sink, settings: { amqpUrl: broker.url, amqpCredit: 10 } });
    broker.send(...ids(10).map(report));
    await until(() => expect(ingestor.counts().inHand).toBe(10));
    broker.drop();
    await until(() => expect(broker.links.length).toBe(2));
    await until(() => expect(broker.link.flows).toEqual([10]));
    sink.release();
    await until(() => expect(ingestor.counts()).toMatchObject({ stored: 10, inHand: 0 }));
    broker.send(...ids(30, 'next-').map(report));
    await until(() => expect(broker.acceptedCount).toBe(30));
    expect(broker.accepted.every((id) => id.startsWith('next-'))).toBe(true);
    expect(Math.max(...broker.link.flows)).toBe(10);
    expect(broker.link.mostUnsettled).toBe(10);
  });

  it('survives being dropped again and again in the middle of a flood', async () => {
    const { ingestor, connection } = consume({ settings: { amqpUrl: broker.url, amqpCredit: 20 } });
    for (let round = 1; round <= 30; round += 1) {
      await until(() => expect(broker.links.length).toBe(round));
      await until(() => expect(broker.link.flows.length).toBeGreaterThan(0));
      const before = ingestor.counts().stored;
      broker.send(...ids(40, `${round}-`).map(report));
      await until(() => expect(ingestor.counts().stored).toBeGreaterThan(before));
      broker.drop();
    }
    await until(() => expect(broker.links.length).toBe(31));
    await until(() => expect(connection().state).toBe('connected'));
    expect(connection().attempts).toBe(31); // not one connection was lost for another reason
    expect(Math.max(...broker.links.map((link) => link.mostUnsettled))).toBeLessThanOrEqual(20);
  });
});

describe('5. errors', () => {
  it.each([
    ['bytes that are no frame', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a frame of an unknown kind', Buffer.from('0000000c02010000005310c0', 'hex')],
    ['a transfer on a link that does not exist', Buffer.from('0000001602000000005314c0090243094300a001614043', 'hex')],
  ])('of the protocol (%s) cost the connection and nothing else', async (_, bytes) => {
    const { connection } = consume();
    await until(() => expect(connection().state).toBe('connected'));
    broker.write(bytes);
    await until(() => expect(broker.links.length).toBe(2));
    broker.send(report('after'));
    await until(() => expect(broker.accepted).toEqual(['after']));
  });

  it('of our own message handler leave the link alive: a poison message makes no loop', async () => {
    const answered: string[] = [];
    const { connection } = consume({
      take: ({ message, accept }) => {
        if (message.messageId === 'poison') throw new Error('a bug');
        answered.push(message.messageId ?? '');
        accept();
      },
    });
    broker.send(report('a'), report('poison'), report('b'));
    await until(() => expect(broker.accepted).toEqual(['a', 'b']));
    expect(answered).toEqual(['a', 'b']);
    expect(connection()).toMatchObject({ state: 'connected', attempts: 1 });
  });

  it.each([
    ['that is cut short', rhea.message.encode({ body: 'x' }).subarray(0, -1)],
    ['that is no message', Buffer.from('garbage')],
    ['that is empty', Buffer.alloc(0)],
  ])('of a message %s set it aside with its bytes, and the link lives on', async (_, bytes) => {
    const { sink, connection } = consume();
    broker.send(report('a'), { id: 'broken', message: bytes }, report('b'));
    await until(() => expect(broker.accepted.toSorted()).toEqual(['a', 'b', 'broken']));
    expect(Object.keys(sink.aside)).toHaveLength(1);
    expect(connection()).toMatchObject({ state: 'connected', attempts: 1 });
  });
});

describe('6. a peer that closes', () => {
  const condition = (name: string) => ({ condition: name, description: 'because' });

  it.each<[string, (broker: BareBroker) => void, RegExp]>([
    ['the link', ({ link }) => link.sender.close(), /detached/],
    ['the link, without closing it', ({ link }) => link.sender.detach(), /detached/],
    ['the link with an error', ({ link }) => link.sender.close(condition('amqp:not-found')), /amqp:not-found: because/],
    ['the session', ({ link }) => link.sender.session.close(), /session/],
    [
      'the session with an error',
      ({ link }) => link.sender.session.end(condition('amqp:session:window-violation')),
      /window-violation/,
    ],
    ['the connection', ({ connections }) => connections.at(-1)?.close(), /closed the connection/],
    [
      'the connection for maintenance',
      ({ connections }) => connections.at(-1)?.close(condition('amqp:connection:forced')),
      /forced: because/,
    ],
    [
      'the connection for an authorization hiccup',
      ({ connections }) => connections.at(-1)?.close(condition('amqp:unauthorized-access')),
      /unauthorized-access: because/,
    ],
    [
      'the connection for a reason of its own',
      ({ connections }) => connections.at(-1)?.close(condition('vendor:strange')),
      /vendor:strange/,
    ],
    ['the socket', (it) => it.drop(), /socket|ECONNRESET/],
  ])('%s is connected to again, and the reason is told', async (_, close, reason) => {
    const { connection, connections } = consume({ timing: { firstPauseMs: 50, longestPauseMs: 50 } });
    await until(() => expect(connection().state).toBe('connected'));
    close(broker);
    await until(() => expect(connections()[0]?.lastError).toMatch(reason));
    await until(() => expect(broker.links.length).toBe(2));
    broker.send(report('after'));
    await until(() => expect(broker.accepted).toEqual(['after']));
    expect(connection()).toMatchObject({ state: 'connected', lastError: null });
  });
});

describe('7. stopping', () => {
  it('answers what is in hand, leaves the rest unanswered, and closes properly', async () => {
    const sink = new MemorySink();
    const started = consume({ sink, settings: { amqpUrl: broker.url, amqpCredit: 50 } });
    broker.send(...ids(5_000).map(report));
    await until(() => expect(broker.acceptedCount).toBeGreaterThan(200));
    await started.stop();
    const stored = sink.stored.flat();
    await until(() => expect(broker.cleanCloses).toBe(1));
    expect(stored.length).toBeLessThan(5_000);
    expect(broker.accepted.toSorted()).toEqual(stored.toSorted()); // nothing lost, nothing to be stored twice
    expect(started.ingestor.counts().inHand).toBe(0);
    expect(started.connection().state).toBe('stopped');
  });

  it('does not wait for a peer that never answers the close', async () => {
    const started = consume({ timing: { closeWithinMs: 5 } });
    await until(() => expect(started.connection().state).toBe('connected'));
    broker.connections.forEach((connection) => connection.removeAllListeners());
    const inner = broker.connections[0] as unknown as { input: () => void };
    inner.input = () => undefined;
    for (const socket of broker.clients) socket.removeAllListeners('data');
    await started.stop();
    expect(started.connection().state).toBe('stopped');
  });
});

describe('8. bodies', () => {
  const json = aWireReport('x').body;

  it.each<[string, unknown]>([
    ['a string', json],
    ['binary', Buffer.from(json)],
    ['a data section', rhea.message.data_section(Buffer.from(json))],
    ['several data sections', rhea.message.data_sections([Buffer.from(json.slice(0, 9)), Buffer.from(json.slice(9))])],
  ])('may come as %s', async (_, body) => {
    const { sink } = consume();
    broker.send({ id: 'x', message: { ...report('x').message, body } });
    await until(() => expect(broker.accepted).toEqual(['x']));
    expect(sink).toMatchObject({ stored: [['x']], aside: {} });
  });

  it('may be larger than a frame', async () => {
    const { ingestor } = consume();
    broker.send({ id: 'x', message: { ...report('x').message, body: 'x'.repeat(3_000_000) } });
    await until(() => expect(broker.accepted).toEqual(['x']));
    expect(ingestor.counts()).toMatchObject({ received: 1, setAside: 1 });
  });
});

describe('9. and 10. signing in', () => {
  it('is tried again after it was refused, signed anew each time', async () => {
    broker.admits = () => broker.logins.length > 3;
    const { connection, connections } = consume({
      settings: { amqpUrl: broker.url, amqpAuthMode: 'appkey', amqpAppKey: '9', amqpAppSecret: 's' },
      timing: { firstPauseMs: 20, longestPauseMs: 20 },
    });
    await until(() =>
      expect(connections()[0]?.lastError).toMatch(/credentials were refused.*AMQP_APP_KEY and AMQP_APP_SECRET/),
    );
    await until(() => expect(connection().state).toBe('connected'));
    expect(connection()).toMatchObject({ attempts: 4, lastError: null });
    const names = broker.logins.map(({ username }) => username);
    expect(new Set(names).size).toBe(4);
    expect(new Set(broker.logins.map(({ password }) => password)).size).toBe(4);
    broker.send(report('a'));
    await until(() => expect(broker.accepted).toEqual(['a']));
  });

  it('is signed anew after a lost connection', async () => {
    consume({ settings: { amqpUrl: broker.url, amqpAuthMode: 'appkey', amqpAppKey: '9', amqpAppSecret: 's' } });
    await until(() => broker.link);
    broker.drop();
    await until(() => expect(broker.links.length).toBe(2));
    expect(broker.logins[0]?.username).not.toBe(broker.logins[1]?.username);
  });

  it('sends user name and password in UTF-8, and an empty password too', async () => {
    consume({ settings: { amqpUrl: broker.url, amqpUsername: 'jörg', amqpPassword: 'pässwörd€' } });
    await until(() => expect(broker.logins).toEqual([{ username: 'jörg', password: 'pässwörd€' }]));
    await rig?.stop();
    consume({ settings: { amqpUrl: broker.url, amqpPassword: '' } });
    await until(() => expect(broker.logins[1]).toEqual({ username: 'user', password: null }));
  });
});

describe('11. the open and the attach', () => {
  it('carry the address of the settings and an idle-time-out inside the platform’s range', async () => {
    consume({ settings: { amqpUrl: broker.url, amqpAddress: 'orders' } });
    await until(() => expect(broker.link.address).toBe('orders'));
    expect(broker.idleTimeOuts).toEqual([60_000]);
  });
});
