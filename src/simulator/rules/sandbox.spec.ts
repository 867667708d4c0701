import { afterAll, describe, expect, it } from '@jest/globals';
import { Sandbox, ScriptFailed, type CallOptions, type ScriptValue } from './sandbox.js';

const sandbox = new Sandbox();
afterAll(() => sandbox.close());

const run = (source: string, args: readonly ScriptValue[] = [], options: CallOptions = {}): ScriptValue => {
  const script = sandbox.load('test.js', `function main(a, b) {${source}\n}`);
  try {
    return script.call('main', args, options);
  } finally {
    script.close();
  }
};

/** What a script failed with, as its message. */
const failure = (source: string, options?: CallOptions): string => {
  try {
    return `returned ${JSON.stringify(run(source, [], options))}`;
  } catch (error) {
    expect(error).toBeInstanceOf(ScriptFailed);
    return (error as ScriptFailed).message;
  }
};

describe('values', () => {
  it.each<[string, ScriptValue]>([
    ['a number', 1.5],
    ['a text', 'ä"\n\0x'],
    ['a text with a NUL in front', '\0n12'],
    ['null', null],
    ['an integer beyond doubles', 12345678901234567890n],
    ['bytes', new Uint8Array([0, 1, 15, 16, 255])],
    ['a tree', { a: [1, { b: 'c' }], 'd.e': true }],
  ])('%s comes back as it went in', (_name, value) => {
    expect(run('return a', [value])).toEqual(value);
  });

  it('gives null for nothing', () => {
    expect(run('')).toBeNull();
  });
});

describe('chance and time', () => {
  it('are what the caller says, so that the same call gives the same', () => {
    const source =
      'return [Math.random(), Math.random(), Date.now(), new Date().toISOString(), new Date(0).getHours()]';
    const once = run(source, [], { now: 1_700_000_000_000, seed: 7 });
    expect(once).toEqual(run(source, [], { now: 1_700_000_000_000, seed: 7 }));
    expect(once).toEqual([expect.any(Number), expect.any(Number), 1_700_000_000_000, '2023-11-14T22:13:20.000Z', 0]);
    expect(once).not.toEqual(run(source, [], { now: 1_700_000_000_000, seed: 8 }));
  });
});

describe('failures', () => {
  it('are told also where a script has changed what its values are written with', () => {
    expect(failure('String.prototype.charCodeAt = () => 1; return "\\0nabc"')).toBe(
      'test.js: returned what cannot be read',
    );
  });

  it('name the script and the line', () => {
    expect(failure('\n\n  throw new Error("no such valve")')).toBe('test.js:3: no such valve');
    expect(failure('\n a.b.c')).toBe("test.js:2: TypeError: cannot read property 'b' of undefined");
    expect(failure('\n return 3 4')).toBe("test.js:2: SyntaxError: expecting ';'");
  });

  it.each([
    ['a text', 'throw "dry"', 'test.js: dry'],
    ['null', 'throw null', 'test.js: threw something that is no error'],
    ['an object that answers with errors', 'throw { get message() { throw 1 } }', 'test.js'],
    ['an error without end', 'const e = new Error(); e.message = "x".repeat(1e6); throw e', 'test.js'],
  ])('of a script that throws %s', (_name, source, message) => {
    const text = failure(source);
    expect(text.startsWith(message)).toBe(true);
    expect(text.length).toBeLessThan(2_100);
  });

  it('of a function that is not there', () => {
    const script = sandbox.load('test.js', 'var main = 1');
    expect(() => script.call('main', [])).toThrow('TypeError: the script has no function main');
  });

  it('of a source that is too large', () => {
    expect(() => sandbox.load('large.js', ' '.repeat(120 * 1_024 + 1))).toThrow(
      'large.js: has 122881 bytes; a script may have 122880',
    );
  });
});

describe('limits', () => {
  const quick = { timeMs: 20 };

  it.each([
    ['an endless loop', 'for (;;);'],
    ['an endless loop that catches', 'for (;;) try { for (;;); } catch {}'],
    ['an endless loop with a finally', 'try { for (;;); } finally { for (;;); }'],
    ['a pattern that backtracks', 'return /^(a+)+$/.test("a".repeat(40) + "!")'],
    ['work within QuickJS, between its steps', 'return [].indexOf.call({ length: 2 ** 53 - 1 }, 1)'],
    ['a sparse array without end', 'return new Array(2 ** 32 - 1).join("").length'],
  ])('on time: %s', (_name, source) => {
    expect(failure(source, quick)).toContain('took longer than 20 ms');
    expect(run('return a + 1', [1])).toBe(2);
  });

  it.each([
    [
      'a growing text',
      'const list = []; let x = "x"; for (;;) { list.push(x); x = x.slice(0, 1e5) + x.slice(0, 1e5) }',
    ],
    ['a growing list', 'const list = []; for (;;) list.push({ list });'],
    ['a list at once', 'return new Array(1e7).fill(1)'],
    ['a buffer at once', 'return new Uint8Array(1e9).length'],
    ['bytes at once', '"x".repeat(2 ** 29)'],
  ])('on memory: %s', (_name, source) => {
    expect(failure(source, { timeMs: 5_000 })).toContain('used more than 32 MiB');
    expect(run('return a + 1', [1])).toBe(2);
  });

  it('on memory, though the script catches it', () => {
    const source = 'let all = []; try { for (;;) all.push({ all }) } catch { all = null }';
    expect(failure(source, { timeMs: 5_000 })).toMatch(/returned null|used more than 32 MiB/);
    expect(run('return a + 1', [1])).toBe(2);
  });

  it.each([
    ['calls', 'return main()'],
    ['JSON', 'return JSON.parse("[".repeat(1e5) + "]".repeat(1e5))'],
    ['a pattern', 'return new RegExp("(".repeat(1e5) + ")".repeat(1e5))'],
    ['source', 'return eval("(".repeat(1e5) + ")".repeat(1e5))'],
    ['proxies', 'let p = {}; for (let i = 0; i < 2e4; i++) p = new Proxy(p, {}); return p.x'],
  ])('on depth: %s', (_name, source) => {
    expect(failure(source, { timeMs: 5_000 })).toMatch(/stack overflow|call stack|used more than|too many captures/);
    expect(run('return a + 1', [1])).toBe(2);
  });

  it('on what it returns', () => {
    expect(failure('return "x".repeat(2 ** 20)')).toContain('leaves the script');
    expect(failure('return Array.from({ length: 1e5 }, () => "x".repeat(20))')).toContain('leaves the script');
    expect(failure('const list = []; list[0] = list; return list')).toContain('circular');
  });

  it('on promises: what they leave over does not pile up', () => {
    const script = sandbox.load(
      'test.js',
      'function main() { (function again() { Promise.resolve().then(again) })(); return 1 }',
    );
    for (let i = 0; i < 20; i++) expect(script.call('main', [])).toBe(1);
  });
});

describe('what a script can reach', () => {
  it('is the language, and nothing of the host', () => {
    const known = run('return Object.getOwnPropertyNames(globalThis)') as string[];
    for (const name of [
      'process',
      'require',
      'module',
      'console',
      'fetch',
      'setTimeout',
      'WebAssembly',
      'Atomics',
      'Buffer',
      'std',
      'os',
    ])
      expect(known).not.toContain(name);
  });

  it.each([
    ['process', 'return process.env', 'not defined'],
    ['require', 'return require("fs")', 'not defined'],
    ['the Function constructor', 'return main.constructor("return process")()', 'not defined'],
    ['the global object of the caller', 'return main.constructor("return this")().process.env', 'of undefined'],
    ['the constructor of an argument', 'return a.constructor.constructor("return process")()', 'not defined'],
    ['indirect eval', 'return (0, eval)("process")', 'not defined'],
    ['the caller', 'return arguments.callee.caller.constructor("return process")()', ''],
  ])('is not %s', (_name, source, message) => {
    const script = sandbox.load('test.js', `function main(a) {${source}\n}`);
    expect(() => script.call('main', [{}])).toThrow(message);
  });

  it('is no module', () => {
    expect(failure('import("fs").then((fs) => { globalThis.got = fs }); return typeof globalThis.got')).toMatch(
      /undefined|failed|module/,
    );
    expect(() => sandbox.load('test.js', 'import fs from "fs"')).toThrow(ScriptFailed);
  });

  it('is not the prototypes of the host', () => {
    run('Object.prototype.polluted = 1; Array.prototype.map = null; JSON.stringify = JSON.parse = null; return 1');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(run('return JSON.parse(\'{"__proto__":{"a":1}}\')'))).toBe(Object.prototype);
  });

  it('is not another script', () => {
    const first = sandbox.load(
      'first.js',
      'var secret = 1; Object.prototype.leak = 1; function main() { return typeof secret }',
    );
    const second = sandbox.load('second.js', 'function main() { return [typeof secret, ({}).leak] }');
    expect([first.call('main', []), second.call('main', [])]).toEqual(['number', ['undefined', null]]);
  });
});

describe('functions handed in', () => {
  it('are called with values and answer with values', () => {
    const seen: ScriptValue[] = [];
    const functions = {
      twice: (value: ScriptValue) => Number(value) * 2,
      note: (...all: ScriptValue[]) => void seen.push(all),
      fail: () => {
        throw new Error('no such destination');
      },
    };
    const source =
      'function main(a) { note(a, { big: 10n ** 20n }); try { fail() } catch (e) { return [twice(a), e.message] } }';
    const script = sandbox.load('test.js', source, { functions });
    expect(script.call('main', [21])).toEqual([42, 'no such destination']);
    expect(seen).toEqual([[21, { big: 10n ** 20n }]]);
  });

  it('come after a prelude of ours', () => {
    const script = sandbox.load('test.js', 'function main() { return double(4) }', {
      prelude: 'function double(x) { return x * 2 }',
    });
    expect(script.call('main', [])).toBe(8);
  });
});

it('keeps what a script keeps in its globals until it fails for time', () => {
  const script = sandbox.load('test.js', 'var count = 0; function main(stop) { count++; while (stop); return count }');
  expect([script.call('main', [false]), script.call('main', [false])]).toEqual([1, 2]);
  expect(() => script.call('main', [true], { timeMs: 20 })).toThrow('took longer than 20 ms');
  expect(script.call('main', [false])).toBe(1);
});

it('holds no memory after thousands of calls and failures', () => {
  const script = sandbox.load(
    'test.js',
    'function main(a) { if (a.fail) throw new Error("x".repeat(1e4)); return { a, text: "x".repeat(1e4) } }',
  );
  // 16 MiB would not do for a thousand of these if a handle stayed behind.
  for (let i = 0; i < 1_000; i++) {
    if (i % 4 === 0) expect(() => script.call('main', [{ fail: true }])).toThrow(ScriptFailed);
    else expect(script.call('main', [{ i }])).toMatchObject({ a: { i } });
  }
});
