import { afterAll, expect, it } from '@jest/globals';
import { DeviceScript } from './device-script.js';
import { Sandbox, ScriptFailed } from './sandbox.js';

const sandbox = new Sandbox();
afterAll(() => sandbox.close());

// A template as the platform publishes it for a device that sends two numbers.
const TEMPLATE = `
function rawDataToProtocol(bytes) {
  var uint8Array = new Uint8Array(bytes.length);
  for (var i = 0; i < bytes.length; i++) uint8Array[i] = bytes[i] & 0xff;
  var view = new DataView(uint8Array.buffer, 0);
  return { method: 'thing.event.property.post', version: '1.0', id: '' + view.getInt32(1),
    params: { prop_int16: view.getInt16(5), raw: bytes[7] } };
}
function protocolToRawData(json) { return [1, 255, -1].concat(json.params.on); }
function transformPayload(topic, bytes) { return { topic: topic, length: bytes.length }; }
`;

it('turns bytes into the device model and back', () => {
  const script = new DeviceScript(sandbox, 'meter.js', TEMPLATE);
  expect(script.rawDataToProtocol(Buffer.from('00000000010032ff', 'hex'))).toEqual({
    method: 'thing.event.property.post',
    version: '1.0',
    id: '1',
    params: { prop_int16: 50, raw: -1 },
  });
  expect([...script.protocolToRawData({ params: { on: 7 } })]).toEqual([1, 255, 255, 7]);
  expect(script.transformPayload('/a/b/user/c', new Uint8Array(3))).toEqual({ topic: '/a/b/user/c', length: 3 });
});

it.each([
  ['no object', 'function rawDataToProtocol() { return 5 }', 'rawDataToProtocol returns no object'],
  ['a list', 'function rawDataToProtocol() { return [] }', 'rawDataToProtocol returns no object'],
  ['nothing', 'function rawDataToProtocol() {}', 'rawDataToProtocol returns no object'],
  ['no function', '', 'the script has no function rawDataToProtocol'],
])('refuses a script that gives %s', (_name, source, message) => {
  const script = new DeviceScript(sandbox, 'bad.js', source);
  expect(() => script.rawDataToProtocol(new Uint8Array(1))).toThrow(message);
  expect(() => script.protocolToRawData({})).toThrow(ScriptFailed);
});
