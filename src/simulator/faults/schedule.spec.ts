import { describe, expect, it } from '@jest/globals';
import { Random } from '../random.js';
import { Schedule } from './schedule.js';

describe('a schedule', () => {
  it('lets things happen in the order of their times, and of planning where these are equal', () => {
    let now = 0;
    const schedule = new Schedule(
      () => now,
      () => 60_000,
    );
    const random = new Random('schedule');
    const planned = Array.from({ length: 500 }, (_, number) => ({ at: random.whole(1, 100), number }));
    const happened: typeof planned = [];
    for (const each of planned) schedule.at(each.at, () => happened.push(each));
    for (now = 1; now <= 50; now++) schedule.runDue();
    now = 50;
    expect(happened).toHaveLength(planned.filter(({ at }) => at <= 50).length);
    now = 100;
    schedule.runDue();
    expect(happened).toEqual([...planned].sort((a, b) => a.at - b.at || a.number - b.number));
    schedule.close();
  });

  it('passes over what was cancelled, and takes what is planned meanwhile', () => {
    const schedule = new Schedule(
      () => 10,
      () => 60_000,
    );
    const happened: string[] = [];
    schedule.at(5, () => {
      happened.push('first');
      second.cancelled = true;
      schedule.at(7, () => happened.push('third'));
    });
    const second = schedule.at(6, () => happened.push('second'));
    schedule.runDue();
    expect(happened).toEqual(['first', 'third']);
    schedule.close();
  });

  it('gives others their turn although what happens plans the next at once', () => {
    const schedule = new Schedule(
      () => 10,
      () => 60_000,
    );
    let happened = 0;
    const again = (): void => {
      happened++;
      schedule.at(10, again);
    };
    again();
    schedule.runDue();
    expect(happened).toBe(50_001);
    schedule.close();
  });
});
