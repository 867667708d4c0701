import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as decoding from '../../src/decoding/decode-message.js';
import * as setAsideForms from '../../src/ingest/set-aside-form.js';
import * as replayer from '../../src/ingest/replayer.js';
import * as setAsideRows from '../../src/storage/set-aside-row.js';
import * as plans from '../../src/storage/write-plan.js';
import * as transport from '../../src/transports/amqp/raw-message.js';
import { faultOf, faultOfReplay } from './checks.mjs';
import { EMPTY, fromJson, type Input } from './input.mjs';

const code = { ...decoding, ...setAsideForms, ...replayer, ...setAsideRows, ...plans, ...transport };
const folder = new URL('./findings/', import.meta.url);

describe('what the fuzzer once found', () => {
  it.each(readdirSync(folder))('%s is no fault any more', async (file) => {
    const { input } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { input: Record<string, unknown> };
    expect(faultOf(code, fromJson(input))).toBeNull();
    expect(await faultOfReplay(code, fromJson(input))).toBeNull();
  });
});

describe('the fuzzer', () => {
  const report = anInput(
    '{"productKey":"pk","deviceName":"dn","deviceSecret":"s3cret","items":{"a":{"value":1},"b":{"value":2}}}',
  );
  const { decodeMessage } = code;

  it('finds no fault in a good message', () => {
    expect(faultOf(code, report)).toBeNull();
  });

  it.each<[string, Partial<typeof code>]>([
    [
      'decodeMessage threw',
      {
        decodeMessage: () => {
          throw new Error('no');
        },
      },
    ],
    [
      'decoded to something that cannot be kept',
      { decodeMessage: (raw, options) => ({ ...decodeMessage(raw, options), sentAt: new Date(NaN) }) },
    ],
    [
      'decoded twice, differently',
      { decodeMessage: (raw, options) => ({ ...decodeMessage(raw, options), raw: { ...raw, messageId: serial() } }) },
    ],
    ['a deviceSecret survives', { decodeMessage: (raw, options) => ({ ...decodeMessage(raw, options), raw }) }],
    [
      'the order of keys changes what is told',
      {
        decodeMessage: (raw, options) => {
          const itemsLast = raw.body.toString().indexOf('items') > 20;
          return itemsLast ? decodeMessage(raw, options) : decodeMessage({ ...raw, body: Buffer.from('{}') }, options);
        },
      },
    ],
    [
      'planWrites threw',
      {
        planWrites: () => {
          throw new Error('no');
        },
      },
    ],
    [
      'a set-aside message comes back changed',
      { rawMessageOf: (row) => ({ ...code.rawMessageOf(row), body: Buffer.from('x') }) },
    ],
  ])('says of broken code: %s', (rule, broken) => {
    expect(faultOf({ ...code, ...broken }, report)).toMatchObject({ rule });
  });

  it('says that a replay tells something else', async () => {
    const decodeAgain: typeof code.decodeAgain = (_, raw, options) =>
      Promise.resolve(decodeMessage({ ...raw, body: Buffer.from('{}') }, options));
    expect(await faultOfReplay({ ...code, decodeAgain }, report)).not.toBeNull();
  });
});

let made = 0;
const serial = (): string => String(++made);

function anInput(body: string): Input {
  return { ...EMPTY, topic: '/pk/dn/thing/event/property/post', body: Buffer.from(body), secret: 's3cret' };
}
