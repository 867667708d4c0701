import { expect, it } from '@jest/globals';
import { ScriptFailed, type Sandbox } from '../rules/sandbox.js';
import { ProductScripts } from './product-scripts.js';

const product = {
  productKey: 'pk',
  deviceType: 'CustomCategory',
  voice: 'enterprise',
  role: 'device',
  tenant: null,
  model: null,
  validation: 'weak',
  rawScript: 'for (;;);',
  messageScript: 'function transformPayload() { for (;;); }',
} as const;

it.each([
  ['to load', 'fromRaw'],
  ['for a message', 'fromCustom'],
] as const)('a script that took too long %s rests, so that its devices do not hold up everything else', (_, when) => {
  let [asked, worldNow] = [0, 0];
  const slow = (name: string): never => {
    asked++;
    throw new ScriptFailed('time', name, null, 'took longer than 1000 ms');
  };
  const load = (name: string): object => (when === 'fromRaw' ? slow(name) : { call: () => slow(name) });
  const scripts = new ProductScripts(
    { load } as unknown as Sandbox,
    () => 0,
    () => worldNow,
  );
  const run = (): unknown =>
    when === 'fromRaw' ? scripts.fromRaw(product, Buffer.of(1)) : scripts.fromCustom(product, '/t', Buffer.of(1));
  expect(run()).toEqual({ failed: expect.stringContaining('took longer') as unknown });
  worldNow = 9_999;
  expect(run()).toEqual({ failed: expect.stringContaining('rests, since it took too long') as unknown });
  expect(asked).toBe(1);
  worldNow = 10_000;
  run();
  expect(asked).toBe(2);
});
