import { readBody, shiftDeviceTimes, withBody } from '../edit-body.js';
import { defineFault } from '../fault.js';
import { duration, share } from '../parameters.js';

/** Devices may report times up to 24 h in the future; the real platform refuses later ones (protocol 7.1), this fault does not. */
export const early = defineFault({
  name: 'early',
  meaning: 'moves the times in reports and events into the future',
  course: 'lasting',
  parameters: {
    share: share(0.1, 'of all reports and events, how many are early'),
    least: duration('1m', 'by how much at least'),
    most: duration('24h', 'by how much at most; more than 24h is what the real platform would refuse'),
  },
  begin: ({ share: part, least, most }, { id, random, passOn, did }) => ({
    pass: (publication) => {
      const body = random.chance(part) ? readBody(publication) : null;
      const by = random.whole(least, most);
      if (!body || shiftDeviceTimes(body, by) === 0) return passOn(publication);
      did('moved into the future', 1, () => ({ topic: publication.topic ?? '', ms: by }));
      passOn(withBody(publication, body, id));
    },
  }),
});
