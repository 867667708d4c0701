import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { root } from '../../scripts/checkout.mjs';
import { DEMO_LIVING } from '../../src/simulator/demo-accounts.js';
import { freePort } from '../../scripts/postgres/free-port.mjs';
import { until } from './until.js';

/** The built service as a process of its own, as it runs in production. */
export interface Service {
  /** Everything it printed so far. */
  output(): string;
  /** The JSON answer of a path such as `/v1/devices`; throws unless the status is 200. */
  get<T>(path: string): Promise<T>;
  /** The HTTP status of a path, or null while nothing answers. */
  status(path: string): Promise<number | null>;
  /** Sends a signal and waits for the end; answers the exit code, or null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Whether it still runs. */
  running(): boolean;
}

const started = new Set<ChildProcess>();

/** Starts the service against a simulator on a database, and waits until it listens. */
export async function startService(given: {
  readonly databaseUrl: string;
  readonly amqpPort: number;
  readonly env?: Readonly<Record<string, string>>;
}): Promise<Service> {
  const port = await freePort(0);
  const child = spawn(process.execPath, [path.join(root, 'dist', 'main.js')], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: given.databaseUrl,
      AMQP_URL: `amqp://127.0.0.1:${given.amqpPort}`,
      AMQP_APP_KEY: DEMO_LIVING.appKey,
      AMQP_APP_SECRET: DEMO_LIVING.appSecret,
      HTTP_PORT: String(port),
      LOG_FORMAT: 'json',
      ...given.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'exit').then(() => started.delete(child));
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  const url = `http://127.0.0.1:${port}`;
  const status = async (route: string): Promise<number | null> => {
    try {
      return (await fetch(url + route)).status;
    } catch {
      return null;
    }
  };
  // Its own word for it: asking it over and over would take the time of a processor that it needs to start.
  await until(() => {
    if (running() && !output.includes('"Listening"')) throw new Error(`the service does not listen:\n${output}`);
  }, 60_000);
  if (!running()) throw new Error(`the service ended:\n${output}`);
  return {
    output: () => output,
    get: async <T>(route: string): Promise<T> => {
      const response = await fetch(url + route);
      if (response.status !== 200) throw new Error(`${route} answered ${response.status}: ${await response.text()}`);
      return (await response.json()) as T;
    },
    status,
    end: async (signal) => {
      if (running()) child.kill(signal);
      await ended;
      return child.exitCode;
    },
    running,
  };
}

/** Ends what a failed test left behind. */
export async function endServices(): Promise<void> {
  for (const child of started) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
