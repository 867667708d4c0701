import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';

/** What may cross between the simulator and a script. Integers that fit no double are bigints on both sides. */
export type ScriptValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Uint8Array
  | readonly ScriptValue[]
  | { readonly [key: string]: ScriptValue };

/** A function of the simulator that a script may call. What it throws, the script catches as an `Error` with that message. */
export type HostFunction = (...args: ScriptValue[]) => ScriptValue;

/** A script does not compile, threw, or went beyond a limit. The message names the script and, where known, the line. */
export class ScriptFailed extends Error {
  override readonly name = 'ScriptFailed';

  constructor(
    /** `time`, `memory` and `broken` (QuickJS itself gave up): what the script kept in its globals is lost. */
    readonly reason: 'error' | 'time' | 'memory' | 'broken',
    readonly script: string,
    /** Lines count from 1; null when unknown. */
    readonly line: number | null,
    text: string,
  ) {
    super(`${script}${line === null ? '' : `:${line}`}: ${text}`);
  }
}

export interface ScriptOptions {
  /** JavaScript of ours that runs first, in the same context. */
  readonly prelude?: string;
  /** By the name of the global under which the script finds each. */
  readonly functions?: Readonly<Record<string, HostFunction>>;
  /** Bytes of UTF-8 that a source may have; 120 KB (protocol 11). */
  readonly sourceBytes?: number;
}

/** What a script sees as chance and time in one call: with the same it does the same. */
export interface CallOptions {
  /** Longest that the call may take, in milliseconds of the world and of the processor; 250. */
  readonly timeMs?: number;
  /** Milliseconds since 1970, for `Date`; 0. */
  readonly now?: number;
  /** A whole number of 32 bits that `Math.random` starts from; 1. */
  readonly seed?: number;
}

/** 16 MiB is what QuickJS begins with; a script may use as much again. */
const LIMITS = { memoryPages: 512, stackBytes: 256 * 1_024, resultChars: 1_024 * 1_024 };
const PAGE_BYTES = 65_536;
const SOURCE_BYTES = 120 * 1_024;
const CALL_MS = 250;
/** Compiling 120 KB and running the top level may take longer than a call. */
const LOAD_MS = 1_000;
/** QuickJS looks at the time between its own steps only. After so long beyond the limit, its thread is ended. */
const GRACE_MS = 250;
/** Time counts when it passes on the processor too, so that a busy machine fails no script; but no longer than this. */
const MOST_WALL_MS = 20_000;
/** How often the thread that waits looks whether it has waited for too long. */
const LOOK_MS = 50;
/** Longest that the thread may take to start. */
const START_MS = 30_000;

const TO_CALLER = 0;
const TO_WORKER = 1;

/** Messages of the sandbox's thread, see `sandbox-worker.mjs`. */
type Told =
  | { readonly kind: 'ready' }
  | { readonly kind: 'value'; readonly text: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'host'; readonly name: string; readonly args: string }
  | { readonly kind: 'broken'; readonly text: string }
  | {
      readonly kind: 'failed';
      readonly reason: ScriptFailed['reason'];
      readonly name: string;
      readonly message: string;
      readonly stack: string;
    };

/** The thread and the way to talk to it. */
interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly signal: Int32Array;
  heard: number;
  /** Scripts that it holds. */
  readonly loaded: Set<Script>;
}

/**
 * Runs scripts of strangers: JavaScript in QuickJS, compiled to WebAssembly, in a thread of its own. Calls wait for their
 * result, at most for their time limit and 250 ms; then the thread is ended with all it holds, and the next call begins
 * anew (some 50 ms). A script that went beyond a limit loses what it kept. Scripts reach nothing but the functions handed
 * in.
 */
export class Sandbox {
  private thread: Thread | null = null;
  private lastId = 0;

  /** Compiles a script and runs its top level. Throws `ScriptFailed`. */
  load(name: string, source: string, options: ScriptOptions = {}): Script {
    const { prelude = '', functions = {}, sourceBytes = SOURCE_BYTES } = options;
    const size = Buffer.byteLength(source);
    if (size > sourceBytes) {
      throw new ScriptFailed('error', name, null, `has ${size} bytes; a script may have ${sourceBytes}`);
    }
    const script = new Script(this, { id: ++this.lastId, name, prelude, source, functions });
    this.running(script);
    return script;
  }

  /** Use `script.call`. */
  call(script: Script, functionName: string, args: readonly ScriptValue[], options: CallOptions): ScriptValue {
    const { timeMs = CALL_MS, now = 0, seed = 1 } = options;
    const text = encode({ args, now, seed });
    for (let attempt = 0; attempt < 2; attempt++) {
      const thread = this.running(script);
      const request = { kind: 'call', script: script.id, name: functionName, args: text, timeMs };
      const told = this.ask(thread, script, request, timeMs);
      if (told.kind === 'value') {
        try {
          return decode(told.text);
        } catch {
          // Scripts can change what their values are written with, for themselves.
          throw script.failed('returned what cannot be read');
        }
      }
      // It was given up after it failed; here it is again as at first.
      thread.loaded.delete(script);
    }
    throw new ScriptFailed('broken', script.name, null, 'cannot be loaded again');
  }

  /** Use `script.close`. */
  drop(script: Script): void {
    const { thread } = this;
    if (!thread?.loaded.delete(script)) return;
    try {
      this.ask(thread, script, { kind: 'drop', script: script.id }, CALL_MS);
    } catch {
      // Its context is gone with the thread.
    }
  }

  /** Ends the thread. A script that is called after all starts it again. */
  async close(): Promise<void> {
    const ended = this.thread?.worker.terminate();
    this.thread?.port.close();
    this.thread = null;
    await ended;
  }

  /** The thread, with this script loaded. */
  private running(script: Script): Thread {
    const thread = (this.thread ??= start());
    if (thread.loaded.has(script)) return thread;
    const { id, name, prelude, source, functions } = script;
    const request = { kind: 'load', script: id, name, prelude, source, functions: Object.keys(functions) };
    this.ask(thread, script, { ...request, limits: LIMITS, timeMs: LOAD_MS }, LOAD_MS);
    thread.loaded.add(script);
    return thread;
  }

  private ask(thread: Thread, script: Script, request: object, timeMs: number): Told & { kind: 'value' | 'unknown' } {
    const started = { wall: performance.now(), cpu: cpuMs() };
    const isOver = (): boolean => {
      const [wall, cpu] = [performance.now() - started.wall, cpuMs() - started.cpu];
      return wall > timeMs + GRACE_MS && (cpu > timeMs + GRACE_MS || wall > MOST_WALL_MS);
    };
    tell(thread, request);
    for (;;) {
      const told = hear(thread, isOver);
      if (!told) {
        this.discard(thread);
        throw new ScriptFailed('time', script.name, null, `took longer than ${timeMs} ms`);
      }
      switch (told.kind) {
        case 'value':
        case 'unknown':
          return told;
        case 'host':
          tell(thread, answerScript(script, told.name, told.args));
          break;
        case 'failed':
          throw failure(script, told, timeMs);
        case 'broken':
          this.discard(thread);
          throw new ScriptFailed('broken', script.name, null, told.text);
        case 'ready':
          break;
        default:
          told satisfies never;
      }
    }
  }

  private discard(thread: Thread): void {
    if (this.thread === thread) this.thread = null;
    thread.port.close();
    void thread.worker.terminate();
  }
}

/** A script that was compiled, to be called by the names of its global functions. */
export class Script {
  readonly id: number;
  readonly name: string;
  readonly prelude: string;
  readonly source: string;
  readonly functions: Readonly<Record<string, HostFunction>>;

  /** Use `Sandbox.load`. */
  constructor(
    private readonly sandbox: Sandbox,
    { id, name, prelude, source, functions }: Pick<Script, 'id' | 'name' | 'prelude' | 'source' | 'functions'>,
  ) {
    this.id = id;
    this.name = name;
    this.prelude = prelude;
    this.source = source;
    this.functions = functions;
  }

  /** Calls a global function of the script. Throws `ScriptFailed`, and nothing else. */
  call(functionName: string, args: readonly ScriptValue[], options: CallOptions = {}): ScriptValue {
    return this.sandbox.call(this, functionName, args, options);
  }

  /** An error about this script, for what it returned. */
  failed(text: string): ScriptFailed {
    return new ScriptFailed('error', this.name, null, text);
  }

  /** Frees its context. */
  close(): void {
    this.sandbox.drop(this);
  }
}

function start(): Thread {
  const { port1: port, port2 } = new MessageChannel();
  const signal = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(new URL('./sandbox-worker.mjs', import.meta.url), {
    workerData: { port: port2, signal },
    transferList: [port2],
    env: {},
    execArgv: [],
  });
  // Neither keeps a process alive. Without a listener an error of the thread would end the process.
  worker.unref();
  port.unref();
  worker.on('error', () => undefined);
  const thread: Thread = { worker, port, signal, heard: 0, loaded: new Set() };
  const started = performance.now();
  const told = hear(thread, () => performance.now() - started > START_MS);
  if (told?.kind === 'ready') return thread;
  void worker.terminate();
  throw new Error(`The sandbox for scripts does not start: ${told?.kind === 'broken' ? told.text : 'no answer'}`);
}

/** Processor time of the process, in milliseconds. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function tell({ port, signal }: Thread, message: object): void {
  port.postMessage(message);
  Atomics.add(signal, TO_WORKER, 1);
  Atomics.notify(signal, TO_WORKER);
}

/** Waits for the next message of the thread, without the event loop; null when it is too late. */
function hear(thread: Thread, isOver: () => boolean): Told | null {
  const { port, signal } = thread;
  while (Atomics.load(signal, TO_CALLER) === thread.heard) {
    if (Atomics.wait(signal, TO_CALLER, thread.heard, LOOK_MS) === 'timed-out' && isOver()) return null;
  }
  thread.heard = (thread.heard + 1) | 0;
  return (receiveMessageOnPort(port)?.message as Told | undefined) ?? null;
}

function answerScript({ functions }: Script, name: string, args: string): { error: string } | { text: string } {
  const called = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!called) return { error: `no function ${name}` };
  try {
    return { text: encode(called(...(decode(args) as readonly ScriptValue[]))) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function failure(script: Script, told: Told & { kind: 'failed' }, timeMs: number): ScriptFailed {
  const { reason, name, message, stack } = told;
  // A frame reads `at f (name:line:column)`, a syntax error `at name:line:column`.
  const frame = stack.split('\n').find((line) => line.includes(`${script.name}:`)) ?? '';
  const line = /:(\d+)(?::\d+)?\)?$/.exec(frame)?.[1];
  const said = `${name === '' || name === 'Error' ? '' : `${name}: `}${message}`;
  const text = {
    error: said || 'failed',
    broken: said || 'failed',
    time: `took longer than ${timeMs} ms`,
    memory: `used more than ${(LIMITS.memoryPages * PAGE_BYTES) / 1_048_576} MiB`,
  }[reason];
  return new ScriptFailed(reason, script.name, line === undefined ? null : Number(line), text);
}

/**
 * JSON of one value in a list. What JSON has not is text after a NUL: `n` a bigint, `b` bytes as characters, `s` a text that
 * itself begins with NUL. `sandbox-worker.mjs` does the same.
 */
function encode(value: ScriptValue): string {
  return JSON.stringify(
    [value === undefined ? null : value],
    function (this: Record<string, unknown>, key, part: unknown) {
      if (typeof part === 'string') return part.startsWith('\0') ? `\0s${part}` : part;
      if (typeof part === 'bigint') return `\0n${part}`;
      // A Buffer has been through its toJSON by now.
      const given = this[key];
      return given instanceof Uint8Array ? `\0b${Buffer.from(given).toString('latin1')}` : part;
    },
  );
}

function decode(text: string): ScriptValue {
  const revive = (_key: string, part: unknown): unknown => {
    if (typeof part !== 'string' || !part.startsWith('\0')) return part;
    const rest = part.slice(2);
    if (part[1] === 'n') return BigInt(rest);
    return part[1] === 'b' ? new Uint8Array(Buffer.from(rest, 'latin1')) : rest;
  };
  const list = JSON.parse(text, text.includes('\\u0000') ? revive : undefined) as ScriptValue[];
  return list[0];
}
