import type { Json } from '../devices/json.js';
import type { CallOptions, Sandbox, Script } from './sandbox.js';

/**
 * The message-parsing script of a product (protocol 7.18, 7.19). Bytes reach it as the platform's templates expect them, a
 * list of signed bytes: every published one masks them with `& 0xff`.
 */
export class DeviceScript {
  private readonly script: Script;

  /** Throws `ScriptFailed` when the source does not compile. `name` is shown in errors. */
  constructor(sandbox: Sandbox, name: string, source: string) {
    this.script = sandbox.load(name, source);
  }

  /** An uplink in the device's own protocol as Alink JSON. Throws `ScriptFailed`. */
  rawDataToProtocol(bytes: Uint8Array, options?: CallOptions): Record<string, Json> {
    return this.record('rawDataToProtocol', this.script.call('rawDataToProtocol', [[...signed(bytes)]], options));
  }

  /** A command or a reply in Alink JSON as bytes for the device. Throws `ScriptFailed`. */
  protocolToRawData(json: Readonly<Record<string, Json>>, options?: CallOptions): Uint8Array {
    const bytes = this.script.call('protocolToRawData', [json], options);
    if (bytes instanceof Uint8Array) return bytes;
    if (Array.isArray(bytes) && bytes.every((byte) => Number.isInteger(byte)))
      return Uint8Array.from(bytes as number[]);
    throw this.script.failed('protocolToRawData returns no list of bytes');
  }

  /** What a device published on a custom topic with `?_sn=default`, as JSON. Throws `ScriptFailed`. */
  transformPayload(topic: string, bytes: Uint8Array, options?: CallOptions): Record<string, Json> {
    return this.record('transformPayload', this.script.call('transformPayload', [topic, [...signed(bytes)]], options));
  }

  /** Frees the script's context. */
  close(): void {
    this.script.close();
  }

  private record(functionName: string, value: unknown): Record<string, Json> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)) {
      return value as Record<string, Json>;
    }
    throw this.script.failed(`${functionName} returns no object`);
  }
}

const signed = ({ buffer, byteOffset, length }: Uint8Array): Int8Array => new Int8Array(buffer, byteOffset, length);
