import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { aMessage } from '../../test/support/messages.js';
import { until } from '../../test/support/until.js';
import { Spool, type SpoolOptions, SpoolUnusable } from './spool.js';
import { SpoolInUse } from './spool-owner.js';
import type { SpooledMessage } from './spooled-message.js';

Logger.overrideLogger(false);

let folder: string;
const opened: Spool[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spool-'));
});
afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(options: Partial<SpoolOptions> = {}): Promise<Spool> {
  const spool = await Spool.open({ folder, maxBytes: 10_000_000, ...options });
  opened.push(spool);
  return spool;
}

/** As a crash leaves it: nothing is closed, and the next process owns the folder. */
const afterACrash = open;

function aSpooled(id: string, body: Buffer | string = `{"id":"${id}"}`): SpooledMessage {
  return {
    key: id.padStart(32, '0'),
    raw: aMessage({ messageId: id, body, properties: { qos: '1', 'odd\ud800': '\0' } }),
  };
}

/** The ids of everything that is left to be read. */
async function rest(spool: Spool): Promise<string[]> {
  const ids: string[] = [];
  for (let batch = await spool.read(); batch !== null; batch = await spool.read()) {
    ids.push(...batch.messages.map(({ raw }) => raw.messageId ?? ''));
  }
  return ids;
}

const files = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.spool'));
const kept = (): string[] => readdirSync(join(folder, 'damaged'));

/** Changes one byte of a file, as a failing disk does. */
function flip(name: string, at: number): void {
  const bytes = readFileSync(join(folder, name));
  bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
  writeFileSync(join(folder, name), bytes);
}

describe('a spool', () => {
  it('gives back messages as they were, in the order in which they came', async () => {
    const spool = await open();
    const messages = [
      aSpooled('1'),
      aSpooled('2', Buffer.from([0, 255, 128])),
      aSpooled('3', Buffer.alloc(3_000_000, 7)),
    ];
    expect(await spool.append(messages.slice(0, 2))).toBe(true);
    expect(await spool.append(messages.slice(2))).toBe(true);
    expect(spool.messages).toBe(3);
    const read = [];
    for (let batch = await spool.read(); batch !== null; batch = await spool.read()) read.push(...batch.messages);
    expect(read).toEqual(messages.map((message, index) => ({ ...message, number: index + 1 })));
  });

  it('outlives a crash: what append said yes to is there, and numbers go on', async () => {
    const before = await open();
    await before.append([aSpooled('1'), aSpooled('2')]);
    const after = await afterACrash();
    expect(after.id).toBe(before.id);
    expect({ messages: after.messages, upTo: after.recoveredUpTo }).toEqual({ messages: 2, upTo: 2 });
    await after.append([aSpooled('3')]);
    expect(await rest(after)).toEqual(['1', '2', '3']);
  });

  it('forgets what is released, file by file, and never gives a number twice', async () => {
    const spool = await open({ segmentBytes: 1_000 });
    for (let i = 1; i <= 20; i++) await spool.append([aSpooled(String(i), 'x'.repeat(400))]);
    expect(files().length).toBeGreaterThan(5);
    expect(await rest(spool)).toHaveLength(20);
    expect(spool.release(15)).toBe(15);
    expect(spool.messages).toBe(5);
    await until(() => expect(files().length).toBeLessThan(5));
    expect(spool.release(20)).toBe(5);
    await until(() => expect(files()).toEqual(['0000000000000021.spool']));
    const next = await afterACrash();
    expect(next.messages).toBe(0);
    await next.append([aSpooled('again')]);
    expect((await next.read())?.messages).toMatchObject([{ number: 21 }]);
  });

  it('hands out nothing that was stored by a process before, though it is still on the disk', async () => {
    const before = await open();
    await before.append(['1', '2', '3'].map((id) => aSpooled(id)));
    const after = await afterACrash();
    expect(after.release(2)).toBe(2);
    expect(await rest(after)).toEqual(['3']);
  });

  it('hands out what is appended while it is read', async () => {
    const spool = await open();
    await spool.append([aSpooled('1')]);
    expect(await rest(spool)).toEqual(['1']);
    await Promise.all([spool.append([aSpooled('2')]), spool.append([aSpooled('3')])]);
    expect(await rest(spool)).toEqual(['2', '3']);
  });

  it('takes no more than it may, says why, and takes more once there is room', async () => {
    const spool = await open({ maxBytes: 3_000, segmentBytes: 1_000 });
    let taken = 0;
    while (await spool.append([aSpooled(String(taken), 'x'.repeat(400))])) taken += 1;
    expect(taken).toBeGreaterThan(2);
    expect(spool.state()).toMatchObject({ messages: taken, lastError: expect.stringContaining('SPOOL_MAX_BYTES') });
    expect(spool.state().bytes).toBeLessThanOrEqual(3_000);
    expect(await rest(spool)).toHaveLength(taken);
    spool.release(taken);
    await until(async () => expect(await spool.append([aSpooled('more')])).toBe(true));
    expect(spool.state().lastError).toBeNull();
  });

  it('accepts nothing while the disk does not take it, and goes on when it does', async () => {
    const spool = await open({ segmentBytes: 100 });
    await spool.append([aSpooled('1')]);
    const inTheWay = join(folder, '0000000000000002.spool');
    await mkdir(inTheWay);
    expect(await spool.append([aSpooled('2')])).toBe(false);
    expect(spool.state()).toMatchObject({ messages: 1, lastError: expect.stringContaining('EISDIR') });
    await rm(inTheWay, { recursive: true });
    expect(await spool.append([aSpooled('3')])).toBe(true);
    expect(spool.state().lastError).toBeNull();
    expect(await rest(spool)).toEqual(['1', '3']);
  });
});

describe('damage', () => {
  it('at the end, where a crash tore it off, is cut off; what was accepted is all there', async () => {
    const before = await open();
    await before.append([aSpooled('1'), aSpooled('2')]);
    const [name = ''] = files();
    const length = readFileSync(join(folder, name)).length;
    truncateSync(join(folder, name), length - 5);
    const after = await afterACrash();
    expect(after.messages).toBe(1);
    expect(kept()).toHaveLength(1);
    expect(after.state().damagedBytes).toBeGreaterThan(0);
    await after.append([aSpooled('3')]);
    expect(await rest(after)).toEqual(['1', '3']);
    expect((await afterACrash()).state().damagedBytes).toBe(0); // it was cut off
  });

  it('in the middle costs the messages it hit; its bytes are kept', async () => {
    const before = await open();
    await before.append([aSpooled('1'), aSpooled('2'), aSpooled('3')]);
    const [name = ''] = files();
    const at = readFileSync(join(folder, name)).indexOf('"id":"2"');
    flip(name, at);
    const after = await afterACrash();
    expect(after.messages).toBe(2);
    expect(await rest(after)).toEqual(['1', '3']);
    expect(kept()).toHaveLength(1);
    expect(readFileSync(join(folder, 'damaged', kept()[0] ?? ''))).toEqual(
      expect.objectContaining({ length: after.state().damagedBytes }),
    );
  });

  it('that comes while it runs is seen when it is read, and released with its neighbours', async () => {
    const spool = await open({ segmentBytes: 100 });
    for (const id of ['1', '2', '3']) await spool.append([aSpooled(id)]);
    flip(files()[1] ?? '', 100);
    expect(await rest(spool)).toEqual(['1', '3']);
    expect(spool.messages).toBe(3);
    expect(spool.release(3)).toBe(3);
    expect(spool.messages).toBe(0);
  });

  it('of the very last message does not keep the spool from becoming empty', async () => {
    const spool = await open();
    await spool.append([aSpooled('1')]);
    flip(files()[0] ?? '', 100);
    expect(await spool.read()).toEqual({ messages: [], upTo: 1 });
    expect(spool.release(1)).toBe(1);
    expect(await spool.read()).toBeNull();
  });

  it('longer than what is read at once hides no message behind it', async () => {
    const spool = await open({ maxBytes: 50_000_000 });
    await spool.append([aSpooled('big', Buffer.alloc(5_000_000, 1)), aSpooled('2'), aSpooled('3')]);
    flip(files()[0] ?? '', 1_000_000);
    expect(await rest(spool)).toEqual(['2', '3']);
  });

  it('of the beginning of a file is said, and its messages are read', async () => {
    const before = await open({ segmentBytes: 100 });
    for (const id of ['1', '2']) await before.append([aSpooled(id)]);
    flip(files()[0] ?? '', 12);
    const after = await afterACrash();
    expect(after.id).toBe(before.id);
    expect(await rest(after)).toEqual(['1', '2']);
  });

  it('of a file that was being made is no obstacle', async () => {
    const before = await open();
    await before.append([aSpooled('1')]);
    await writeFile(join(folder, '0000000000000002.spool'), 'LMsp');
    const after = await afterACrash();
    await after.append([aSpooled('2')]);
    expect(await rest(after)).toEqual(['1', '2']);
  });
});

describe('a folder', () => {
  it('that another process uses is refused with that process', async () => {
    const owner = { pid: process.ppid, host: hostname(), started: null };
    await writeFile(join(folder, 'owner.json'), JSON.stringify(owner));
    await expect(open()).rejects.toThrow(SpoolInUse);
    await expect(open()).rejects.toThrow(`process ${process.ppid}`);
  });

  it('whose user on another machine showed itself just now is refused; one that is long gone is not', async () => {
    const file = join(folder, 'owner.json');
    await writeFile(file, JSON.stringify({ pid: 1, host: 'elsewhere', started: null }));
    await expect(open()).rejects.toThrow('elsewhere');
    await utimes(file, new Date(0), new Date(0));
    await expect(open()).resolves.toBeDefined();
  });

  it.each([
    ['a process that is no more', { pid: 2 ** 22 + 1, host: hostname(), started: null }],
    ['a process whose number somebody else has now', { pid: process.ppid, host: hostname(), started: '1' }],
    ['half a note', null],
  ])('that was left by %s is taken over', async (_, owner) => {
    await writeFile(join(folder, 'owner.json'), owner === null ? '{"pid":' : JSON.stringify(owner));
    await expect(open()).resolves.toBeDefined();
  });

  it('that cannot be used is refused by its name', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(open({ folder: file })).rejects.toThrow(SpoolUnusable);
    await expect(open({ folder: file })).rejects.toThrow(`SPOOL_DIR ${file} cannot be used`);
  });

  it('with files of two spools is refused', async () => {
    const one = await open();
    await one.append([aSpooled('1')]);
    const other = await mkdtemp(join(tmpdir(), 'spool-'));
    const two = await open({ folder: other });
    await two.append([aSpooled('2')]);
    writeFileSync(join(folder, '0000000000000009.spool'), readFileSync(join(other, '0000000000000001.spool')));
    await expect(afterACrash()).rejects.toThrow('of two spools');
    await rm(other, { recursive: true });
  });
});
