import 'reflect-metadata';
import { setFlagsFromString } from 'node:v8';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { configureHttp, httpAdapter } from './api/http-app.js';
import { AppModule } from './app.module.js';
import { BadSettings } from './config/read-settings.js';
import { SettingTypos } from './config/settings.module.js';
import { Settings } from './config/settings.js';
import { OpenSpool } from './spool/open-spool.js';
import { MigrationGate, SchemaNotReady } from './storage/migration-gate.js';
import { Metrics } from './telemetry/metrics.js';
import { PinoLogger } from './telemetry/pino-logger.js';

/** Whoever asked us to stop waits this long and no longer. */
const STOP_WITHIN_MS = 4_500;

/** The process cannot go on: one clear line for people, and an exit code for machines. */
function fail(problem: string): never {
  process.stderr.write(`living-mirror cannot run: ${problem}\n`);
  process.exit(1);
}

/**
 * On a machine with much memory V8 lets the heap grow to four times what is alive before it cleans up: 365 MB in a flood of
 * messages, of which 75 were in use. Cleaning up at one and a half times keeps the process under 250 MB at the same pace.
 */
function keepMemoryFlat(): void {
  setFlagsFromString('--heap-growing-percent=50');
}

async function start(): Promise<void> {
  keepMemoryFlat();
  const app = await NestFactory.create<NestFastifyApplication>(await AppModule.from(), httpAdapter(), {
    bufferLogs: true,
    abortOnError: false,
  });
  const settings = app.get(Settings);
  app.useLogger(new PinoLogger({ level: settings.logLevel, format: settings.logFormat }));
  const logger = new Logger('Main');
  endOnUnexpected(logger);
  stopOnSignals(app, logger);
  for (const sentence of app.get(SettingTypos).sentences) logger.warn('Setting ignored', { detail: sentence });
  app.get(Metrics).watchProcess();
  configureHttp(app);

  app.get(OpenSpool).check();
  const gate = app.get(MigrationGate);
  await gate.pass();
  gate.watch((problem) => fail(explain(problem)));
  await app.listen(settings.httpPort, settings.httpHost);
  logger.log('Listening', { url: await app.getUrl(), replica: settings.replica });
}

/** Whoever is told to stop while it starts fails at the rest of its start, which is nobody's concern. */
let stopping = false;

function stopOnSignals(app: NestFastifyApplication, logger: Logger): void {
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    logger.log('Stopping', { signal });
    setTimeout(() => fail(`it did not stop within ${STOP_WITHIN_MS} ms of ${signal}`), STOP_WITHIN_MS).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => fail(`stopping failed: ${explain(error)}`),
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function endOnUnexpected(logger: Logger): void {
  const end = (error: unknown): void => {
    logger.fatal('Unexpected error', error);
    fail(explain(error));
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

function explain(error: unknown): string {
  if (error instanceof BadSettings) {
    return `${error.problems.length === 1 ? 'a setting is' : 'settings are'} wrong\n${error.problems
      .map(({ variable, problem }) => `  ${variable} ${problem}`)
      .join('\n')}`;
  }
  if (error instanceof SchemaNotReady) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE') return `port ${port} on ${address} is taken: stop what listens there, or set HTTP_PORT`;
  if (code === 'EACCES') return `port ${port} on ${address} is not allowed: set HTTP_PORT to 1024 or above`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `HTTP_HOST is no address of this machine (${error.message})`;
  return error.message;
}

start().catch((error: unknown) => stopping || fail(explain(error)));
