import { describe, expect, it } from '@jest/globals';
import type { Publication } from '../platform/platform-message.js';
import { Random } from '../random.js';
import { Faults, type Fault } from './faults.js';

function spoil(faults: Fault[], count = 1_000, seed = '1'): { published: Publication[]; drops: number } {
  const published: Publication[] = [];
  let drops = 0;
  const spoiled = new Faults(new Set(faults), new Random(seed), {
    publish: (publication) => {
      published.push(publication);
      return publication.messageId ?? `made-${published.length}`;
    },
    dropConnections: () => drops++,
  });
  for (let i = 0; i < count; i++) spoiled.pass({ topic: '/t', body: String(i), messageId: `id-${i}` });
  return { published, drops };
}

const bodies = (published: readonly Publication[]): string[] => published.map(({ body }) => String(body));
const clean = Array.from({ length: 1_000 }, (_, i) => String(i));

describe('faults', () => {
  it('leave the stream alone when none is asked for', () => {
    expect(spoil([])).toMatchObject({ drops: 0 });
    expect(bodies(spoil([]).published)).toEqual(clean);
  });

  it('repeat messages under the same id with the same bytes', () => {
    const { published } = spoil(['duplicates']);
    const texts = published.map(({ messageId, body }) => `${messageId ?? ''} ${String(body)}`);
    expect(new Set(texts).size).toBe(1_000);
    expect(texts.length).toBeGreaterThan(1_050);
  });

  it('repeat under the id that publishing gave where a message had none', () => {
    const published: Publication[] = [];
    const faults = new Faults(new Set(['duplicates']), new Random('1'), {
      publish: (publication) => {
        published.push(publication);
        return 'given';
      },
      dropConnections: () => undefined,
    });
    for (let i = 0; i < 200; i++) faults.pass({ topic: '/t', body: 'x' });
    expect(published.filter(({ messageId }) => messageId === 'given').length).toBeGreaterThan(0);
  });

  it('shuffle within a window and lose nothing', () => {
    const shuffled = bodies(spoil(['shuffle']).published);
    expect(shuffled).not.toEqual(clean.slice(0, shuffled.length));
    expect(new Set(shuffled).size).toBe(shuffled.length);
    expect(shuffled.length).toBe(1_000 - 19); // the last of the window are still held
  });

  it('put poison between the good messages', () => {
    const { published } = spoil(['poison']);
    expect(bodies(published).filter((body) => clean.includes(body))).toHaveLength(1_000);
    expect(published.length).toBeGreaterThan(1_005);
  });

  it('drop connections now and then', () => {
    expect(spoil(['disconnects']).drops).toBeGreaterThan(1);
  });

  it('are the same again from the same seed', () => {
    const all: Fault[] = ['duplicates', 'shuffle', 'poison', 'disconnects'];
    expect(spoil(all)).toEqual(spoil(all));
    expect(bodies(spoil(all, 1_000, '2').published)).not.toEqual(bodies(spoil(all).published));
  });
});
