import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transform } from '@swc/core';
import { aMessage } from '../../test/support/messages.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import { decodeAnySize, IN_PLACE_LIMIT_BYTES, stopDecodingThread, workerFile } from './decode-large.js';
import { decodeMessage } from './decode-message.js';
import { DecodingThread } from './decoding-thread.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = { bodyIdentity: 'topic' } as const;

/** A report of so many bytes, and then some. */
function aReport(bytes: number, extra: object = {}) {
  const body = { productKey: 'pk', deviceName: 'dn', ...extra, items: { note: { value: 'x'.repeat(bytes), time: 5 } } };
  return aMessage({ topic: '/pk/dn/thing/event/property/post', body });
}

describe('decodeAnySize', () => {
  afterAll(stopDecodingThread);

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

describe('DecodingThread', () => {
  let folder: string;
  /** The real worker, built as it is now, and one that a test makes up. */
  let real: DecodingThread;
  let thread: DecodingThread;

  /** A worker made of a few lines, which see the message as `sent`. */
  async function aThread(onMessage: string): Promise<DecodingThread> {
    const file = path.join(folder, `${Math.random()}.mjs`);
    const answer = `answer = (detail) => parentPort.postMessage({
      decoded: { key: 'k', sentAt: null, events: [], refusal: { reason: 'invalid-body', detail } }, body: null, properties: {} })`;
    await writeFile(
      file,
      `import { parentPort, threadId } from 'node:worker_threads';
       const ${answer};
       parentPort.on('message', ({ raw }) => { const sent = new TextDecoder().decode(raw.body); ${onMessage} });`,
    );
    return (thread = new DecodingThread(file, 16));
  }

  const details = async (...bodies: string[]): Promise<(string | undefined)[]> => {
    const decoded = await Promise.all(bodies.map((body) => thread.decode(aMessage({ body }), options)));
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
    real = new DecodingThread(path.join(folder, 'decoding', 'decode-large.worker.js'));
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

  it('answers each its own, in order, from one thread', async () => {
    await aThread('answer(`${sent} ${threadId}`)');
    const [a, b, c] = await details('a', 'b', 'c');
    expect([a, b, c].map((text) => text?.[0])).toEqual(['a', 'b', 'c']);
    expect(new Set([a, b, c].map((text) => text?.slice(2))).size).toBe(1);
    await thread.stop();
  });

  it.each([
    ['ends', 'process.exit(3)', /ended/],
    ['throws', 'throw new Error("no luck")', /no luck/],
    ['runs out of memory', 'const hoard = []; for (;;) hoard.push(new Array(1e5).fill(hoard.length))', /memory/],
  ])('refuses the message at which the thread %s twice, and no other', async (_, crash, reason) => {
    await aThread(`if (sent === 'bad') { ${crash} } answer(sent)`);
    expect(await details('a', 'bad', 'b')).toEqual(['a', expect.stringMatching(reason), 'b']);
    await thread.stop();
  });

  it('tries a message once more after a crash', async () => {
    await aThread(
      `import('node:fs').then((fs) => { const seen = ${JSON.stringify(folder)} + '/seen';
         if (!fs.existsSync(seen)) { fs.writeFileSync(seen, ''); process.exit(1); } answer(sent); })`,
    );
    expect(await details('a')).toEqual(['a']);
    await thread.stop();
  });

  it('blanks the secrets of a message that it refuses', async () => {
    await aThread('process.exit(1)');
    const { raw, key } = await thread.decode(aMessage({ body: '{"deviceSecret":"s3cr3t"}' }), options);
    expect(raw.body.toString()).toBe('{"deviceSecret":""}');
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    await thread.stop();
  });

  it('loses nothing when it is stopped with messages in hand', async () => {
    await aThread('answer(sent)');
    const answers = details('a', 'b');
    await thread.stop();
    expect(await answers).toEqual(['a', 'b']);
    await thread.stop();
  });
});

/** Dates that crossed from another thread are of another realm in Jest; equal text is equal enough. */
function plain(decoded: DecodedMessage): unknown {
  const { raw, ...rest } = decoded;
  return JSON.stringify({ ...rest, raw: { ...raw, body: raw.body.toString('latin1') } });
}
