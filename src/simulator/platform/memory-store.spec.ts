import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryStore } from './memory-store.js';
import { queuedMessage, type QueuedMessage } from './queued-message.js';

function aMessage(number: number, body = Buffer.from(`body ${number}`)): QueuedMessage {
  return queuedMessage(
    {
      id: String(number),
      anonymous: number % 2 === 0,
      topic: number % 3 === 0 ? null : `/pk/dn/user/ä${number}`,
      body,
      bodyForm: 'value-binary',
      generateTime: number % 5 === 0 ? 'soon' : number,
      qos: null,
      properties: { number, text: 'x', no: false, nothing: null },
      tenant: 'living/1',
      publishedAt: 1_700_000_000_000 + number,
    },
    number,
  );
}

describe('a backlog in memory', () => {
  it('gives back what it was given, first in, first out', () => {
    const store = new MemoryStore();
    for (let i = 0; i < 5_000; i++) store.push(aMessage(i));
    expect(store.length).toBe(5_000);
    for (let i = 0; i < 5_000; i++) {
      expect(store.oldest()).toBe(1_700_000_000_000 + i);
      expect(store.shift()).toEqual(aMessage(i));
    }
    expect(store).toMatchObject({ length: 0, bytes: 0 });
    expect([store.shift(), store.oldest()]).toEqual([undefined, null]);
  });

  it('keeps order and counts whatever comes and goes', () => {
    const bodies = fc.nat(3_000);
    const step = fc.oneof(fc.record({ push: bodies }), fc.constant('shift' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const store = new MemoryStore();
        const expected: number[] = [];
        let number = 0;
        for (const each of steps) {
          if (each === 'shift') {
            expect(store.shift()?.deliveries).toBe(expected.shift());
          } else {
            expected.push(++number);
            store.push(aMessage(number, Buffer.alloc(each.push)));
          }
          expect(store.length).toBe(expected.length);
        }
        expect(store.bytes === 0).toBe(expected.length === 0);
      }),
    );
  });

  it('tells of each that is cleared', () => {
    const store = new MemoryStore();
    for (let i = 0; i < 3; i++) store.push(aMessage(i));
    const dropped: string[] = [];
    store.clear(({ message }) => dropped.push(message.id));
    expect(dropped).toEqual(['0', '1', '2']);
    expect(store).toMatchObject({ length: 0, bytes: 0 });
  });
});
