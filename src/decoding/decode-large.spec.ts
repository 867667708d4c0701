import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transform } from '@swc/core';
import { aMessage, NOON } from '../../test/support/messages.js';
import { until } from '../../test/support/until.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import type { DeviceEvent } from '../domain/device-event.js';
import { decodeAnySize, IN_PLACE_LIMIT_BYTES, stopDecodingThreads, workerFile } from './decode-large.js';
import { decodeMessage } from './decode-message.js';
import type { ThreadPart } from './decode-large.worker.js';
import { DecodingThreads, type ThreadsOptions } from './decoding-threads.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = { bodyIdentity: 'topic' } as const;

/** A report of so many bytes, and then some. */
function aReport(bytes: number, extra: object = {}) {
  const body = { productKey: 'pk', deviceName: 'dn', ...extra, items: { note: { value: 'x'.repeat(bytes), time: 5 } } };
  return aMessage({ topic: '/pk/dn/thing/event/property/post', body });
}

describe('decodeAnySize', () => {
  afterAll(stopDecodingThreads);

  it('decodes small bodies at once', () => {
    const message = aReport(100);
    expect(decodeAnySize(message, options)).toEqual(decodeMessage(message, options));
  });

  it('decodes large bodies elsewhere, to the same', async () => {
    const message = aReport(IN_PLACE_LIMIT_BYTES);
    const { key, events } = decodeMessage(message, options);
    const decoding = decodeAnySize(message, options); // in place where nothing was built yet
    expect(await decoding).toMatchObject({ key, refusal: null, raw: { messageId: message.messageId } });
    expect((await decoding).events.map(({ kind }) => kind)).toEqual(events.map(({ kind }) => kind));
  });

  it('finds its worker beside the built module, and for a source in what was built from it', () => {
    expect(workerFile('file:///app/dist/decoding/decode-large.js')).toBe('/app/dist/decoding/decode-large.worker.js');
    expect(workerFile('file:///a%20b/src/decoding/decode-large.ts')).toBe('/a b/dist/decoding/decode-large.worker.js');
  });
});

describe('DecodingThreads', () => {
  let folder: string;
  /** The real worker, built as it is now, and one that a test makes up. */
  let real: DecodingThreads;
  let threads: DecodingThreads;

  /** Threads made of a few lines, which see the message as `sent`. */
  async function threadsThat(onMessage: string, given: Partial<ThreadsOptions> = {}): Promise<DecodingThreads> {
    const file = path.join(folder, `${Math.random()}.mjs`);
    await writeFile(
      file,
      `import { parentPort, threadId } from 'node:worker_threads';
       const identify = (key) => parentPort.postMessage({ key, body: null, properties: {} });
       const judge = (detail) => parentPort.postMessage({ events: [], verdict: {
         sentAt: null, refusal: { reason: 'invalid-body', detail }, about: { kind: null, productKey: null, deviceName: null } } });
       const answer = (detail) => { identify('k'); judge(detail); };
       parentPort.on('message', ({ raw }) => { const sent = new TextDecoder().decode(raw.body); ${onMessage} });`,
    );
    return (threads = new DecodingThreads(file, { threads: 1, heapMb: 16, ...given }));
  }

  const details = async (...bodies: string[]): Promise<(string | undefined)[]> => {
    const decoded = await Promise.all(bodies.map((body) => threads.decode(aMessage({ body }), options)));
    return decoded.map(({ refusal }) => refusal?.detail);
  };

  beforeAll(async () => {
    // below the checkout, so that the worker finds its packages
    const cache = path.join(root, 'node_modules', '.cache');
    await mkdir(cache, { recursive: true });
    folder = await mkdtemp(path.join(cache, 'decode-large-'));
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    for (const part of ['decoding', 'decoding/decoders', 'domain']) {
      await mkdir(path.join(folder, part), { recursive: true });
      for (const name of await readdir(path.join(root, 'src', part))) {
        if (name.endsWith('.ts') && !name.endsWith('.spec.ts')) await build(`${part}/${name}`);
      }
    }
    real = new DecodingThreads(path.join(folder, 'decoding', 'decode-large.worker.js'));
  });

  afterAll(async () => {
    await real.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function build(file: string): Promise<void> {
    const source = await readFile(path.join(root, 'src', file), 'utf8');
    const { code } = await transform(source, {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'es6' },
    });
    await writeFile(path.join(folder, file.replace(/\.ts$/, '.js')), code);
  }

  it.each([
    ['a report of 1 MiB', aReport(1 << 20)],
    ['a batch of 5,000 samples', aBatch(5_000)],
    ['one with a secret', aReport(300_000, { deviceSecret: 's3cr3t', iotId: 'iot' })],
    ['a body that is not JSON', aMessage({ topic: '/pk/dn/thing/lifecycle', body: '['.repeat(300_000) })],
    ['bytes on a custom topic', aMessage({ topic: '/pk/dn/user/x', body: Buffer.alloc(300_000, 0xff) })],
    [
      'a body that is a view of other bytes',
      aMessage({ body: Buffer.concat([aReport(300_000).body, Buffer.from('!')]).subarray(0, -1) }),
    ],
  ])('decodes %s as it would be in place', async (_, message) => {
    const before = Buffer.from(message.body);
    const decoded = await real.decode(message, options);
    expect(plain(decoded) === plain(decodeMessage(message, options))).toBe(true);
    expect(Buffer.isBuffer(decoded.raw.body)).toBe(true);
    expect(message.body.equals(before)).toBe(true);
  });

  it('hands over a message of very many facts in small parts, each when it is asked for', async () => {
    const worker = new Worker(path.join(folder, 'decoding', 'decode-large.worker.js'));
    const heard: unknown[] = [];
    worker.on('message', (answer) => heard.push(answer));
    const raw = aBatch(10_001);
    worker.postMessage({ raw: { ...raw, body: new Uint8Array(raw.body) }, options });
    for (let parts = 1; parts <= 6; parts++) {
      await until(() => expect(heard).toHaveLength(1 + parts));
      worker.postMessage('go on');
    }
    const parts = heard.slice(1) as ThreadPart[];
    expect(parts.map(({ events }) => readingsIn(events))).toEqual([2_000, 2_000, 2_000, 2_000, 2_000, 1]);
    expect(parts.map(({ verdict }) => verdict !== null)).toEqual([false, false, false, false, false, true]);
    await worker.terminate();
  });

  it('works on as many messages at once as there are threads, and one after the other on each', async () => {
    await threadsThat('answer(`${sent} ${threadId}`)', { threads: 2 });
    const answers = await details('a', 'b', 'c', 'd');
    expect(answers.map((text) => text?.[0])).toEqual(['a', 'b', 'c', 'd']);
    expect(new Set(answers.map((text) => text?.slice(2))).size).toBe(2);
    await threads.stop();
  });

  it.each([
    ['ends', 'process.exit(3)', /ended/],
    ['throws', 'throw new Error("no luck")', /no luck/],
    ['runs out of memory', 'const hoard = []; for (;;) hoard.push(new Array(1e5).fill(hoard.length))', /memory/],
    ['never comes to an end', 'for (;;);', /longer than 1000 ms/],
  ])('refuses the message at which the thread %s twice, and no other', async (_, trouble, reason) => {
    await threadsThat(`if (sent === 'bad') { ${trouble} } answer(sent)`, { deadlineMs: 1_000 });
    expect(await details('a', 'bad', 'b')).toEqual(['a', expect.stringMatching(reason), 'b']);
    await threads.stop();
  });

  it('tries a message once more after a crash, and others before it', async () => {
    await threadsThat(
      `import('node:fs').then((fs) => { const seen = ${JSON.stringify(folder)} + '/seen';
         fs.appendFileSync(seen, sent); if (fs.readFileSync(seen, 'utf8') === 'a') process.exit(1);
         answer(fs.readFileSync(seen, 'utf8')); })`,
    );
    expect(await details('a', 'b')).toEqual(['aba', 'ab']);
    await threads.stop();
  });

  it('blanks the secrets of a message that it refuses', async () => {
    await threadsThat('process.exit(1)');
    const { raw, key } = await threads.decode(aMessage({ body: '{"deviceSecret":"s3cr3t"}' }), options);
    expect(raw.body.toString()).toBe('{"deviceSecret":""}');
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    await threads.stop();
  });

  it('looks for no secrets itself when the thread has done so before it ended', async () => {
    await threadsThat('identify("the key"); setTimeout(() => process.exit(1), 5)');
    const body = '{"deviceSecret":"which the thread did not find"}';
    expect(await threads.decode(aMessage({ body }), options)).toMatchObject({
      key: 'the key',
      raw: { body: Buffer.from(body) },
    });
    await threads.stop();
  });

  it('loses nothing when it is stopped with messages in hand, however often', async () => {
    await threadsThat('setTimeout(() => answer(sent), 20)');
    const answers = details('a', 'b');
    await threads.stop();
    await threads.stop();
    await threads.stop();
    expect(await answers).toEqual(['a', 'b']);
    await threads.stop();
  });
});

/** A batch post of so many samples. */
function aBatch(samples: number) {
  const payload = { p: Array.from({ length: samples }, (_, i) => ({ value: i, time: NOON - i })) };
  return aMessage({ topic: '/pk/dn/thing/property/batch/post', body: { productKey: 'pk', deviceName: 'dn', payload } });
}

function readingsIn(events: readonly DeviceEvent[]): number {
  return events.reduce((sum, event) => sum + (event.kind === 'properties-reported' ? event.readings.length : 0), 0);
}

/** Dates that crossed from another thread are of another realm in Jest; equal text is equal enough. */
function plain(decoded: DecodedMessage): unknown {
  const { raw, ...rest } = decoded;
  return JSON.stringify({ ...rest, raw: { ...raw, body: raw.body.toString('latin1') } });
}
