import { afterEach, describe, expect, it } from '@jest/globals';
import rhea from 'rhea';
import { SinkUnavailable } from '../../src/domain/event-sink.js';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator-options.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { type AmqpRig, aWireReport, enterpriseSettings, livingSettings, startRig } from '../support/amqp-rig.js';
import { BareBroker } from '../support/bare-broker.js';
import { MemorySink } from '../support/memory-sink.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

// Links that are open, have credit, and bring nothing although there are messages. The rules of the watch are in link-watch.spec.ts.

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function aSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  cleanups.push(() => simulator.stop());
  return simulator;
}

async function aBroker(): Promise<BareBroker> {
  const broker = await BareBroker.start();
  cleanups.push(() => broker.stop());
  return broker;
}

async function aProxy(port: number | null): Promise<TcpProxy> {
  const proxy = await startTcpProxy(port ?? 0);
  cleanups.push(() => proxy.stop());
  return proxy;
}

function consume(given: Parameters<typeof startRig>[0]): AmqpRig {
  const rig = startRig(given);
  cleanups.push(() => rig.stop());
  return rig;
}

/** Questions follow each other at once, and a few of them without good news are enough. */
const quick = { askAfterMs: 20, answerWithinMs: 100, heldBackMs: 100 };
/** 100 ms. */
const SHORT_SILENCE = 100 / 60_000;

const living = ({ plainPort }: Simulator) => ({ amqpUrl: `amqp://127.0.0.1:${plainPort}`, ...livingSettings });

const publish = (simulator: Simulator, count: number): string[] =>
  Array.from({ length: count }, (_, index) => simulator.publish(aWireReport(String(index))));

function report(id: string): { id: string; message: Record<string, unknown> } {
  const { topic, body } = aWireReport(id);
  return {
    id,
    message: {
      message_id: id,
      application_properties: { topic, messageId: id },
      body: rhea.message.data_section(Buffer.from(body)),
    },
  };
}

describe('a silent stop is found and healed:', () => {
  it.each<[cause: string, name: string, stop: (simulator: Simulator) => unknown]>([
    ['credit-lost', 'credit that the platform has lost', (simulator) => simulator.faults.start('lost-credit')],
    ['held-back', 'a link on which nothing is sent', (simulator) => simulator.faults.start('silent-link')],
  ])('%s, %s', async (cause, _, stop) => {
    const simulator = await aSimulator();
    const metrics = new Metrics();
    const { sink, connection, ingestor } = consume({ settings: living(simulator), timing: quick, metrics });
    const published = publish(simulator, 1);
    await until(() => expect(simulator.living.counts.accepted).toBe(1));
    stop(simulator);
    published.push(...publish(simulator, 50));
    await until(() => expect(simulator.living.counts.accepted).toBe(51));
    expect(connection()).toMatchObject({ state: 'connected', rebuilds: 1, attempts: 2, lastError: null });
    expect(connection().lastRebuild).toEqual({ at: expect.any(Date), cause });
    expect(sink.stored.flat().toSorted()).toEqual(published.toSorted());
    expect(ingestor.counts()).toMatchObject({ received: 51, stored: 51, duplicate: 0, inHand: 0 });
    expect(await metrics.registry.metrics()).toContain(
      `living_mirror_link_rebuilds_total{transport="amqp",connection="1",cause="${cause}"} 1`,
    );
    expect(await metrics.registry.metrics()).not.toMatch(/connections_lost_total\{.*\} [1-9]/);
  });

  it('silence, data sync that was switched off and on again', async () => {
    const simulator = await aSimulator();
    const settings = { ...living(simulator), amqpSilenceMinutes: SHORT_SILENCE };
    const { sink, connection } = consume({ settings, timing: quick });
    await until(() => expect(simulator.living.clientCount).toBe(1));
    simulator.setSync('90001234', false);
    simulator.setSync('90001234', true);
    const published = publish(simulator, 20);
    await until(() => expect(simulator.living.counts.accepted).toBe(20));
    expect(connection().lastRebuild).toMatchObject({ cause: 'silence' });
    expect(sink.stored.flat().toSorted()).toEqual(published.toSorted());
  });

  it('half-open, a network that swallows everything', async () => {
    // What was sent into nothing comes again, when the platform has waited for its answer.
    const simulator = await aSimulator({ ackTimeoutMs: 100 });
    const proxy = await aProxy(simulator.plainPort);
    const settings = { ...enterpriseSettings, amqpUrl: `amqp://127.0.0.1:${proxy.port}`, amqpCredit: 5 };
    const { sink, connection } = consume({ settings, timing: quick });
    const group = simulator.enterprise('demoGroup000100');
    const published = publish(simulator, 1);
    await until(() => expect(group.counts.accepted).toBe(1));
    // Silence means something once the peer has answered a question.
    const heard = proxy.bytesBack;
    await until(() => expect(proxy.bytesBack).toBeGreaterThan(heard));
    proxy.freeze();
    published.push(...publish(simulator, 20));
    await until(() => expect(group.counts.accepted).toBe(21));
    expect(connection().lastRebuild).toMatchObject({ cause: 'half-open' });
    expect(sink.stored.flat().toSorted()).toEqual(published.toSorted());
  });

  it('nothing at all, a peer that lost count and listens when it is told', async () => {
    const broker = await aBroker();
    const { connection } = consume({ settings: { amqpUrl: broker.url }, timing: quick });
    broker.send(report('before'));
    await until(() => expect(broker.accepted).toEqual(['before']));
    broker.forgetCredit();
    broker.send(report('after'));
    await until(() => expect(broker.accepted).toEqual(['before', 'after']));
    expect(connection()).toMatchObject({ rebuilds: 0, attempts: 1 });
  });
});

describe('nothing is rebuilt', () => {
  /** Questions that a peer was asked; where none are, rebuilds of another link show that time has passed. */
  const manyQuestions = async ({ link }: BareBroker): Promise<void> => {
    const before = link.flows.length;
    await until(() => expect(link.flows.length).toBeGreaterThan(before + 20));
  };
  const longEnough = async (): Promise<void> => {
    const broker = await aBroker();
    const settings = { amqpUrl: broker.url, amqpSilenceMinutes: SHORT_SILENCE };
    const { connection } = consume({ settings, timing: quick });
    await until(() => expect(connection().rebuilds).toBeGreaterThan(2));
  };

  it.each([
    ['answers', 0],
    ['ignores questions', null],
  ])('on a quiet link whose peer %s', async (_, waiting) => {
    const broker = await aBroker();
    broker.waiting = waiting;
    const { connection } = consume({ settings: { amqpUrl: broker.url }, timing: quick });
    await until(() => expect(broker.links.length).toBe(1));
    await manyQuestions(broker);
    expect(connection()).toMatchObject({ state: 'connected', rebuilds: 0, lastRebuild: null });
  });

  it.each([
    ['all credit is used', 10],
    ['some credit is left', 20],
  ])('while the store is away and %s', async (_, amqpCredit) => {
    let away = true;
    const sink = new MemorySink(() => (away ? new SinkUnavailable('database') : undefined));
    const broker = await aBroker();
    broker.waiting = 100;
    const settings = { amqpUrl: broker.url, amqpCredit, amqpSilenceMinutes: SHORT_SILENCE };
    const { connection, ingestor } = consume({ sink, settings, timing: quick });
    const ids = Array.from({ length: 10 }, (_each, index) => `m-${index}`);
    broker.send(...ids.map(report));
    await until(() => expect(ingestor.counts().inHand).toBe(10));
    await longEnough();
    expect(connection().rebuilds).toBe(0);
    away = false;
    await until(() => expect(broker.accepted.toSorted()).toEqual(ids));
    expect(sink.stored.flat().toSorted()).toEqual(ids);
  });

  it('while there is no room for more bytes', async () => {
    const sink = new MemorySink();
    sink.hold();
    const broker = await aBroker();
    broker.waiting = 0;
    const settings = { amqpUrl: broker.url, amqpCredit: 10 };
    const { connection, ingestor } = consume({ sink, settings, timing: quick, ingest: { maxBytesInHand: 10 } });
    await until(() => expect(broker.links.length).toBe(1));
    await manyQuestions(broker); // it answers, and would be missed
    broker.send(report('large'));
    await until(() => expect(ingestor.room.isOpen).toBe(false));
    await longEnough();
    expect(connection().rebuilds).toBe(0);
    sink.release();
    await until(() => expect(broker.accepted).toEqual(['large']));
  });
});
