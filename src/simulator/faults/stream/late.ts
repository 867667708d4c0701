import type { Publication } from '../../platform/platform-message.js';
import { defineFault, MOST_HELD } from '../fault.js';
import { duration, share } from '../parameters.js';

/** Messages that the platform produced long ago and newer ones overtake (protocol 4.1): old id, old generateTime, old values. */
export const late = defineFault({
  name: 'late',
  meaning: 'holds messages back; they arrive with the values, times and ids they had',
  course: 'lasting',
  parameters: {
    share: share(0.2, 'of all messages, how many are late'),
    least: duration('1m', 'by how much at least, in simulated time'),
    most: duration('10m', 'by how much at most'),
  },
  begin: ({ share: part, least, most }, { random, after, passOn, did }) => {
    const held = new Set<Publication>();
    return {
      pass: (publication) => {
        if (!random.chance(part)) return passOn(publication);
        const by = random.whole(least, most);
        if (held.size >= MOST_HELD) {
          did('not held, there are too many');
          return passOn(publication);
        }
        held.add(publication);
        did('held', 1, () => ({ messageId: publication.messageId ?? '', topic: publication.topic ?? '', ms: by }));
        after(by, () => {
          held.delete(publication);
          passOn(publication);
        });
      },
      end: () => held.forEach(passOn),
    };
  },
});
