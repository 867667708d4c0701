import { describe, expect, it } from '@jest/globals';
import type { FastifyReply } from 'fastify';
import { once } from 'node:events';
import { quiet } from '../../test/support/until.js';
import { Exports } from './exports.js';
import { wholeList } from './list-body.js';
import { type AskPage, WrittenPage } from './list-pages.js';

const LINE = `${'x'.repeat(99)}\n`;

/** A reply of which nothing is looked at. */
function aReply(): FastifyReply {
  const reply = { raw: { setTimeout: () => undefined }, header: () => reply };
  return reply as unknown as FastifyReply;
}

/** A list of ten million rows, of which every page is noted that is asked for. */
function aLongList() {
  const asked: number[] = [];
  let sent = 0;
  const ask: AskPage = (_, rows) => {
    asked.push(rows);
    sent += rows;
    return Promise.resolve(new WrittenPage(LINE.repeat(rows), rows, sent < 10_000_000 ? String(sent) : null));
  };
  const list = {
    path: '/v1/devices',
    format: { name: 'ndjson', type: 'application/x-ndjson', header: false },
    columns: [],
    gzip: false,
    ask,
  } as const;
  return { list, asked };
}

describe('a whole list', () => {
  it.each([false, true])('is read no faster than its caller reads it (gzip: %s)', async (gzip) => {
    const { list, asked } = aLongList();
    const stream = (await wholeList({ ...list, gzip }, new Exports(), aReply())).getStream();
    stream.once('readable', () => undefined);
    await once(stream, 'readable');
    const pages = await quiet(() => asked.length);
    const characters = asked.reduce((sum, rows) => sum + rows * LINE.length, 0);
    expect(characters).toBeLessThan(8 * 1024 * 1024); // of a thousand
    for (let read = 0; read < 3_000_000;) {
      const chunk = stream.read() as Buffer | null;
      if (chunk === null) await once(stream, 'readable');
      else read += gzip ? 3_000_000 : chunk.length;
    }
    if (!gzip) expect(asked.length).toBeGreaterThan(pages);
    expect(await quiet(() => asked.length)).toBeLessThan(pages + 6);
    stream.destroy();
  });

  it('grows its pages to about a megabyte each', async () => {
    const { list, asked } = aLongList();
    const stream = (await wholeList(list, new Exports(), aReply())).getStream();
    while (asked.length < 5) if (stream.read() === null) await once(stream, 'readable');
    expect(asked.slice(0, 4)).toEqual([100, 1000, 10_000, 10_000]);
    stream.destroy();
  });

  it('gives its place back when its first page fails', async () => {
    const { list } = aLongList();
    const exports = new Exports();
    const failing = { ...list, ask: () => Promise.reject(new Error('no')) };
    for (let round = 0; round < 10; round += 1) {
      await expect(wholeList(failing, exports, aReply())).rejects.toThrow('no');
    }
    await wholeList(list, exports, aReply());
  });
});
