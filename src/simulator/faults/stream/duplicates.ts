import type { Publication } from '../../platform/platform-message.js';
import { defineFault, MOST_HELD } from '../fault.js';
import { choice, count, share } from '../parameters.js';

/** At least once (protocol 4.1): the platform pushes again what it has pushed, under the same id. A storm is many of these. */
export const duplicates = defineFault({
  name: 'duplicates',
  meaning: 'sends messages again, under the same id or the same bytes under another',
  course: 'lasting',
  parameters: {
    share: share(0.1, 'of all messages, how many are repeated'),
    copies: count(1, 1, 1_000, 'how often each of them is'),
    within: count(20, 0, 100_000, 'how many messages may come between'),
    id: choice(['same', 'other'], 'the message id of a copy; other is what a device does that sends twice'),
  },
  begin: ({ share: part, copies, within, id }, { random, passOn, add, did }) => {
    // By the number of the message after which they come.
    const due = new Map<number, Publication[]>();
    let passed = 0;
    let waiting = 0;
    const repeat = (copy: Publication): void => {
      waiting--;
      did('repeated', 1, () => ({ messageId: copy.messageId ?? 'another', topic: copy.topic ?? '' }));
      add(copy);
    };
    return {
      pass: (publication) => {
        passed++;
        passOn(publication);
        if (random.chance(part)) {
          const copy = id === 'same' ? publication : { ...publication, messageId: undefined };
          for (let i = 0; i < copies; i++) {
            const after = passed + (waiting < MOST_HELD ? random.whole(0, within) : 0);
            waiting++;
            const others = due.get(after);
            if (others) others.push(copy);
            else due.set(after, [copy]);
          }
        }
        due.get(passed)?.forEach(repeat);
        due.delete(passed);
      },
      end: () => due.forEach((copies) => copies.forEach(repeat)),
    };
  },
});
