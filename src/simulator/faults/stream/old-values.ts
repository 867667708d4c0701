import { isLosslessNumber } from 'lossless-json';
import type { Publication } from '../../platform/platform-message.js';
import { readBody, shiftDeviceTimes, whole, withBody } from '../edit-body.js';
import { defineFault } from '../fault.js';
import { count, duration, share } from '../parameters.js';

/** A device that kept what it could not send: new messages with values and times of the past, after newer ones (7.1, 7.12). */
export const oldValues = defineFault({
  name: 'old-values',
  meaning: 'sends old reports anew after newer ones: new ids, new gmtCreate, old values with old times',
  course: 'lasting',
  parameters: {
    share: share(0.1, 'of all reports and events, how many come again'),
    after: count(50, 1, 100_000, 'after how many further messages'),
    by: duration('0s', 'how much older than they were their times are'),
  },
  begin: ({ share: part, after, by }, { id, random, now, passOn, add, did }) => {
    const kept: { readonly at: number; readonly publication: Publication }[] = [];
    let passed = 0;
    const tell = (publication: Publication): void => {
      const body = readBody(publication);
      if (!body || shiftDeviceTimes(body, -by) === 0) return;
      if (isLosslessNumber(body.gmtCreate)) body.gmtCreate = whole(now());
      did('told old values', 1, () => ({ topic: publication.topic ?? '' }));
      add({ ...withBody(publication, body, id), messageId: undefined, generateTime: now() });
    };
    return {
      pass: (publication) => {
        passed++;
        passOn(publication);
        if (/\/thing\/(event|property)\//.test(publication.topic ?? '') && random.chance(part)) {
          kept.push({ at: passed + after, publication });
        }
        while (kept[0] && kept[0].at <= passed) tell(kept.shift()!.publication);
      },
    };
  },
});
