import { describe, expect, it } from '@jest/globals';
import { SinkUnavailable } from '../domain/event-sink.js';
import { Abandoned } from './asker.js';
import { Turns } from './turns.js';

/** Asks for turns and notes who has one, in the order in which they began. */
function watched(turns: Turns) {
  const began: string[] = [];
  const ask = (origin: string, name: string, signal?: AbortSignal): Promise<void> =>
    turns.begin(origin, signal).then(() => void began.push(name));
  return { began, ask };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('are so many at once, and go on in the order of asking', async () => {
    const turns = new Turns(2, 10);
    const { began, ask } = watched(turns);
    const all = Promise.all(['1', '2', '3', '4'].map((name) => ask('a', name)));
    await settled();
    expect(began).toEqual(['1', '2']);
    turns.end();
    await settled();
    expect(began).toEqual(['1', '2', '3']);
    turns.end();
    await all;
    expect(began).toEqual(['1', '2', '3', '4']);
  });

  it('go from origin to origin, so that a crowd of one keeps nobody out', async () => {
    const turns = new Turns(1, 10);
    const { began, ask } = watched(turns);
    const all = Promise.all([...['1', '2', '3', '4'].map((n) => ask('a', `a${n}`)), ask('b', 'b1'), ask('c', 'c1')]);
    for (let turn = 0; turn < 5; turn += 1) {
      await settled();
      turns.end();
    }
    await all;
    expect(began).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'a4']);
  });

  it('are not taken by whoever comes just when one ends', async () => {
    const turns = new Turns(1, 10);
    const { began, ask } = watched(turns);
    const first = ask('a', 'first');
    const waiting = ask('a', 'waiting');
    await settled();
    turns.end();
    const late = ask('b', 'late');
    await waiting;
    turns.end();
    await Promise.all([first, late]);
    expect(began).toEqual(['first', 'waiting', 'late']);
  });

  it('are left by those who go away', async () => {
    const turns = new Turns(1, 10);
    const { began, ask } = watched(turns);
    await ask('a', 'running');
    const gone = new AbortController();
    const left = expect(ask('a', 'gone', gone.signal)).rejects.toBeInstanceOf(Abandoned);
    const stays = ask('a', 'stays', new AbortController().signal);
    gone.abort();
    await left;
    await expect(ask('a', 'gone before', gone.signal)).rejects.toBeInstanceOf(Abandoned);
    turns.end();
    await stays;
    expect(began).toEqual(['running', 'stays']);
  });

  it('turn away those who would wait behind too many, and only as long as these wait', async () => {
    const turns = new Turns(1, 2);
    const { ask } = watched(turns);
    await ask('a', 'running');
    const gone = new AbortController();
    const left = expect(ask('b', 'gone', gone.signal)).rejects.toBeInstanceOf(Abandoned);
    const stays = ask('a', 'stays');
    await expect(ask('c', 'too many')).rejects.toBeInstanceOf(SinkUnavailable);
    gone.abort();
    await left;
    const comes = ask('c', 'comes');
    turns.end();
    await stays;
    turns.end();
    await comes;
  });
});
