import type { Publication } from '../../platform/platform-message.js';
import { defineFault, MOST_HELD } from '../fault.js';
import { count, duration } from '../parameters.js';

/** No order is guaranteed, not even for one device (protocol 4.1). */
export const shuffle = defineFault({
  name: 'shuffle',
  meaning: 'sends messages in another order, within a window of messages or of time',
  course: 'lasting',
  parameters: {
    window: count(20, 1, 100_000, 'how many messages are held, of which one by chance goes on for each that comes'),
    time: duration('0s', 'in place of that: hold each message for up to so long'),
  },
  begin: ({ window, time }, { random, after, passOn, did }) => {
    const held = new Set<Publication>();
    if (time > 0) {
      return {
        pass: (publication) => {
          if (held.size >= MOST_HELD) {
            did('not held, there are too many');
            return passOn(publication);
          }
          did('held');
          held.add(publication);
          after(random.whole(0, time), () => {
            held.delete(publication);
            passOn(publication);
          });
        },
        end: () => held.forEach(passOn),
      };
    }
    const waiting: Publication[] = [];
    return {
      pass: (publication) => {
        waiting.push(publication);
        if (waiting.length < window) return;
        const index = random.whole(0, waiting.length - 1);
        const [released] = waiting.splice(index, 1);
        if (!released) return;
        if (waiting.length > 0 && index > 0) did('overtook', 1, () => ({ messages: index }));
        passOn(released);
      },
      end: () => random.shuffled(waiting).forEach(passOn),
    };
  },
});
