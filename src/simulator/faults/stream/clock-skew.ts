import { readTopic } from '../../platform/topic.js';
import { readBody, shiftDeviceTimes, withBody } from '../edit-body.js';
import { defineFault } from '../fault.js';
import { choice, duration, share } from '../parameters.js';

/** Devices whose clocks are wrong: always the same ones, each by an amount of its own, in all that it says (protocol 7.1). */
export const clockSkew = defineFault({
  name: 'clock-skew',
  meaning: 'some devices have wrong clocks, each wrong by the same amount all the time',
  course: 'lasting',
  parameters: {
    devices: share(0.3, 'of all devices, how many are wrong'),
    least: duration('1m', 'by how much at least'),
    most: duration('2h', 'by how much at most'),
    direction: choice(['both', 'ahead', 'behind'], 'whether their clocks are ahead or behind'),
  },
  begin: ({ devices, least, most, direction }, { id, chanceOf, passOn, did }) => {
    const skewOf = (device: string): number => {
      const chance = chanceOf(device);
      if (!chance.chance(devices)) return 0;
      const by = chance.whole(least, most);
      return direction === 'ahead' || (direction === 'both' && chance.chance(0.5)) ? by : -by;
    };
    return {
      pass: (publication) => {
        const facts = publication.topic === null ? null : readTopic(publication.topic);
        const name = facts?.deviceName ?? null;
        if (facts === null || name === null) return passOn(publication);
        const device = `${facts.productKey}:${name}`;
        const by = skewOf(device);
        const body = by === 0 ? null : readBody(publication);
        if (!body || shiftDeviceTimes(body, by) === 0) return passOn(publication);
        did('skewed', 1, () => ({ device, ms: by }));
        passOn(withBody(publication, body, id));
      },
    };
  },
});
