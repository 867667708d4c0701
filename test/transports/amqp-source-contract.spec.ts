import type { Client, ConsumerGroup } from '../../src/simulator/platform/consumer-group.js';
import { startSimulator } from '../../src/simulator/simulator.js';
import type { AmqpSettings } from '../../src/transports/amqp/amqp-consumer.js';
import { aWireReport, enterpriseSettings, livingSettings, startRig } from '../support/amqp-rig.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { describeSource, type SourcePeer } from './source-contract.js';

const CREDIT = 60;

/** The simulator behind a proxy that loses what it is told to. */
async function amqpPeer(flavour: 'living' | 'enterprise', settings: Partial<AmqpSettings>): Promise<SourcePeer> {
  const simulator = await startSimulator();
  const proxy = await startTcpProxy(simulator.plainPort ?? 0);
  const group = flavour === 'living' ? simulator.living : simulator.enterprise('demoGroup000100');
  const { amqpConnections = 1 } = settings;
  const isGranted = creditOf(group);
  let serial = 0;
  return {
    capacity: CREDIT * amqpConnections,
    publish: (body) => {
      const report = aWireReport(String((serial += 1)));
      return simulator.publish(body === undefined ? report : { ...report, body });
    },
    counts: () => group.counts,
    connections: () => simulator.connections,
    start: (ingestor) => {
      const amqpUrl = `amqp://127.0.0.1:${proxy.port}`;
      const rig = startRig({ ingestor, settings: { ...settings, amqpUrl, amqpCredit: CREDIT } });
      return {
        isUp: () => rig.connections().every(({ state }) => state === 'connected') && isGranted(amqpConnections),
        stop: () => rig.stop(),
      };
    },
    loseAnswers: () => proxy.deafen(),
    cut: () => proxy.cut(),
    stop: async () => {
      await proxy.stop();
      await simulator.stop();
    },
  };
}

/**
 * Sees the far side's half of a link that is up: so many clients, each of which its credit has reached. Before that, a proxy
 * that loses what it is told would lose the credit, too, and nothing would ever come.
 */
function creditOf(group: ConsumerGroup): (clients: number) => boolean {
  const [join, leave] = [group.join.bind(group), group.leave.bind(group)];
  const here = new Set<Client>();
  const sentTo = new WeakSet<Client>();
  group.join = (client) => {
    const send = client.send.bind(client);
    client.send = (message) => {
      sentTo.add(client);
      send(message);
    };
    here.add(client);
    join(client);
  };
  group.leave = (client) => {
    here.delete(client);
    leave(client);
  };
  return (clients) => here.size === clients && [...here].every((client) => sentTo.has(client) || client.room() > 0);
}

describeSource('AMQP, Living', () => amqpPeer('living', livingSettings));
describeSource('AMQP, Enterprise', () => amqpPeer('enterprise', enterpriseSettings));
describeSource('AMQP, Enterprise over three connections', () =>
  amqpPeer('enterprise', { ...enterpriseSettings, amqpConnections: 3 }),
);
