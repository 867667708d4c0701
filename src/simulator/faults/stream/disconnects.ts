import { defineFault } from '../fault.js';
import { count } from '../parameters.js';

/** Goes by message counts, not by time, so that a run can be repeated. */
export const disconnects = defineFault({
  name: 'disconnects',
  meaning: "resets every client's connection now and then, after some messages",
  course: 'lasting',
  parameters: {
    least: count(100, 1, 1_000_000, 'after how many messages at least'),
    most: count(400, 1, 1_000_000, 'after how many messages at most'),
  },
  begin: ({ least, most }, { random, target, passOn, did }) => {
    let left = random.whole(least, most);
    return {
      pass: (publication) => {
        passOn(publication);
        if (--left > 0) return;
        left = random.whole(least, most);
        const connections = target.dropConnections();
        did('dropped', 1, () => ({ connections }));
      },
    };
  },
});
