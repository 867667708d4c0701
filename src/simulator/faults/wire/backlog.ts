import type { Publication } from '../../platform/platform-message.js';
import { defineFault } from '../fault.js';
import { count, duration, text } from '../parameters.js';

/** One turn of the event loop may take so long; then others have theirs. */
const TURN_MS = 8;
/** The clock is not asked about the turn's length at every message. */
const PORTION = 100;

/** A night without consumers in a few seconds: property reports of invented devices, published while nobody is connected. */
export const backlog = defineFault({
  name: 'backlog',
  meaning: 'publishes a great many reports at once, while no client is let in',
  course: 'job',
  parameters: {
    messages: count(1_000_000, 1, 100_000_000, 'how many'),
    devices: count(1_000, 1, 1_000_000, 'of how many devices'),
    over: duration('12h', 'the time before now over which their times are spread; the platform keeps a day'),
    product: text('a1DemoBulk8', 'their product key'),
    tenant: text('', 'whose they are, such as living/90001234; everybody’s when empty'),
    offline: count(1, 0, 1, '1: disconnects the clients and refuses them until all is published; 0 leaves them alone'),
  },
  begin: ({ messages, devices, over, product, tenant, offline }, context) => {
    const { random, target, refuseLogins, now, publish, did, tell } = context;
    const until = now();
    const iotIds = Array.from({ length: Math.min(devices, messages) }, () => random.text(26));
    let done = 0;
    let told = 0;
    let turn: NodeJS.Immediate | undefined;
    const report = (): Publication => {
      const device = done % iotIds.length;
      const deviceName = `bulk-${String(device + 1).padStart(6, '0')}`;
      const at = Math.trunc(until - over + (over * done) / messages);
      const items = `"Counter":{"value":${done},"time":${at}},"Level":{"value":${random.whole(0, 1_000) / 10},"time":${at}}`;
      const names = `"iotId":"${iotIds[device] ?? ''}","requestId":"${done}","productKey":${JSON.stringify(product)}`;
      return {
        topic: `/${product}/${deviceName}/thing/event/property/post`,
        body: `{"deviceType":"CustomCategory",${names},"gmtCreate":${at + 5},"deviceName":"${deviceName}","items":{${items}},"checkFailedData":{}}`,
        generateTime: at + 5,
        tenant: tenant === '' ? null : tenant,
      };
    };
    const work = (): void => {
      const end = performance.now() + TURN_MS;
      do {
        const portion = Math.min(PORTION, messages - done);
        for (let i = 0; i < portion; i++) {
          publish(report());
          done++;
        }
        did('published', portion, () => ({ of: messages }));
        if (done >= told + messages / 10) {
          tell('progress', { published: done, of: messages });
          told = done;
        }
      } while (done < messages && performance.now() < end);
      if (done < messages) turn = setImmediate(work);
      else context.over();
    };
    if (offline === 1) {
      refuseLogins(true);
      did('dropped connections', target.dropConnections());
    }
    turn = setImmediate(work);
    return {
      end: () => {
        clearImmediate(turn);
        if (offline === 1) refuseLogins(false);
      },
    };
  },
});
