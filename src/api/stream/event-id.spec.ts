import { describe, expect, it } from '@jest/globals';
import { eventId, readEventId } from './event-id.js';

const EPOCH = '3f9a1c2b-0000-4000-8000-000000000000';

describe('the id of an event', () => {
  it.each([
    { seq: 0, mark: 0, index: 0 },
    { seq: 1, mark: 1_795_332_900_000_000, index: 500 },
    { seq: 3_656_158_440_062_975, mark: 8_640_000_000_000_000, index: 2_000_000_000 },
  ])('is read as it was written: %j', (place) => {
    expect(readEventId(eventId({ epoch: EPOCH, place }))).toEqual({ epoch: '3f9a1c2b', place });
  });

  it.each([
    '',
    '3f9a1c2b',
    '3f9a1c2b.1.2',
    '3f9a1c2b.1.2.3.4',
    '3F9A1C2B.1.2.3',
    '3f9a1c2b.-1.2.3',
    '3f9a1c2b.1.2.3\n',
    '3f9a1c2b.1.zzzzzzzzzzz.1',
  ])('is not %j', (id) => {
    expect(readEventId(id)).toBeNull();
  });
});
