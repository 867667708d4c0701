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
        isUp: () => rig.connections().every(({ state }) => state === 'connected'),
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

describeSource('AMQP, Living', () => amqpPeer('living', livingSettings));
describeSource('AMQP, Enterprise', () => amqpPeer('enterprise', enterpriseSettings));
describeSource('AMQP, Enterprise over three connections', () =>
  amqpPeer('enterprise', { ...enterpriseSettings, amqpConnections: 3 }),
);
