import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PortUnavailable } from './amqp/amqp-door.js';
import { lineLog } from './log.js';
import { accountsOf, BadSettings, readSettings, type Settings } from './settings.js';
import { startSimulator, type Simulator } from './simulator.js';

// The platform simulator as a process of its own: `npm run simulator`. Settings are SIMULATOR_* variables.

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const log = lineLog((line) => process.stdout.write(line));
  // One left behind by a killed simulator would send others to a port where nobody listens.
  if (settings.readyFile !== null) await rm(settings.readyFile, { force: true });
  const simulator = await startSimulator({
    host: settings.host,
    plainPort: settings.port,
    tlsPort: settings.tlsPort,
    dataDir: settings.dataDir,
    accounts: accountsOf(settings),
    seed: settings.seed,
    limits: settings.limits,
    ackTimeoutMs: settings.ackTimeoutMs,
    redeliverAfterMs: settings.redeliverAfterMs,
    maxQueued: Math.max(20_000, 5 * settings.devices),
    maxQueuedBytes: 32 * 1_024 * 1_024,
    logged: settings.logged,
    loggedBytes: settings.loggedBytes,
    fleet: settings,
    log,
  });
  stopWhenAsked(simulator, settings);
  if (settings.readyFile !== null) await writeReadyFile(settings.readyFile, simulator, settings);
  log.info('listening', {
    amqps: `${simulator.host}:${simulator.tlsPort}`,
    amqp: `${simulator.host}:${simulator.plainPort}`,
    ca: simulator.caFile ?? '',
  });
  log.info('virtual devices are sending', {
    devices: settings.devices,
    messagesPerSecond: settings.rate,
    seed: settings.seed,
    flavour: settings.flavour,
    faults: settings.faults.join(',') || 'none',
  });
  if (settings.flavour === 'both') {
    log.info('Living and Enterprise messages are mixed so that one consumer sees every kind; see SIMULATOR_FLAVOUR');
  }
}

function stopWhenAsked(simulator: Simulator, { readyFile, parentPid }: Settings): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void (async () => {
      if (readyFile !== null) await rm(readyFile, { force: true });
      await simulator.stop();
      process.exit(0);
    })();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  if (parentPid !== null) {
    setInterval(() => {
      if (!isAlive(parentPid)) stop();
    }, 500).unref();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What a local consumer needs to connect, as JSON; for its owner only, since it names secrets. Appears whole. */
async function writeReadyFile(path: string, simulator: Simulator, { living, enterprise }: Settings): Promise<void> {
  const content = {
    pid: process.pid,
    plainPort: simulator.plainPort,
    tlsPort: simulator.tlsPort,
    caFile: simulator.caFile,
    ...living,
    enterprise,
  };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

try {
  await main();
} catch (error) {
  const known = error instanceof BadSettings || error instanceof PortUnavailable;
  const text = known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`simulator cannot start: ${text}\n`);
  process.exit(1);
}
