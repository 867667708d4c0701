import type { Json } from '../devices/json.js';
import type { Product } from '../devices/product.js';
import { plainJson } from './alink.js';
import { ScriptRest } from '../rules/script-rest.js';
import { ScriptFailed, type Sandbox, type Script, type ScriptValue } from '../rules/sandbox.js';

/** Longest that a script may take for one message; everything else waits for it. Long, for machines that are busy. */
const CALL_MS = 1_000;

/** What a script made, or why it made nothing. */
export type ScriptResult = { readonly value: Json } | { readonly failed: string };

/**
 * The scripts of products: `rawScript` turns the bytes of a binary protocol into Alink JSON and back, `messageScript` the
 * bytes of custom topics into JSON (protocol 7.18, 7.19). Each is loaded when it is first needed.
 */
export class ProductScripts {
  private readonly known = new Map<string, { readonly source: string; script: Script | null; rest: ScriptRest }>();

  constructor(
    private readonly sandbox: Sandbox,
    /** For `Date` in scripts. */
    private readonly now: () => number,
    private readonly worldNow: () => number,
  ) {}

  /** Alink JSON of what a device sent raw. */
  fromRaw(product: Product, bytes: Uint8Array): ScriptResult {
    return this.run(product, 'rawScript', 'rawDataToProtocol', [bytes]);
  }

  /** The bytes that a device of this product understands. */
  toRaw(product: Product, json: Json): { readonly bytes: Uint8Array } | { readonly failed: string } {
    const result = this.run(product, 'rawScript', 'protocolToRawData', [plainJson(json) as ScriptValue]);
    if ('failed' in result) return result;
    const { value } = result;
    if (!Array.isArray(value) || !value.every((byte) => typeof byte === 'number')) {
      return { failed: `${nameOf(product, 'rawScript')}: protocolToRawData returned no list of bytes` };
    }
    return { bytes: Uint8Array.from(value) };
  }

  /** JSON of what a device published on a custom topic with `?_sn=default`. */
  fromCustom(product: Product, topic: string, bytes: Uint8Array): ScriptResult {
    return this.run(product, 'messageScript', 'transformPayload', [topic, bytes]);
  }

  private run(
    product: Product,
    kind: 'rawScript' | 'messageScript',
    functionName: string,
    args: readonly ScriptValue[],
  ): ScriptResult {
    const source = product[kind];
    const name = nameOf(product, kind);
    if (source === null) return { failed: `product ${product.productKey} has no ${kind}` };
    let known = this.known.get(name);
    if (known?.source !== source) {
      known = { source, script: null, rest: new ScriptRest(this.worldNow) };
      this.known.set(name, known);
    }
    const { reason } = known.rest;
    if (reason !== null) return { failed: `${name}: ${reason}` };
    try {
      known.script ??= this.sandbox.load(name, source);
      return { value: jsonOf(known.script.call(functionName, args, { now: this.now(), timeMs: CALL_MS })) };
    } catch (error) {
      if (!(error instanceof ScriptFailed)) throw error;
      known.rest.after(error);
      return { failed: error.message };
    }
  }
}

const nameOf = ({ productKey }: Product, kind: string): string => `${productKey} ${kind}`;

/** Bytes become a list of numbers; what is undefined is left out of objects, and null elsewhere. */
function jsonOf(value: ScriptValue): Json {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return [...value];
  if (isList(value)) return value.map(jsonOf);
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.map(([key, member]) => [key, jsonOf(member)]));
}

const isList = (value: ScriptValue): value is readonly ScriptValue[] => Array.isArray(value);
