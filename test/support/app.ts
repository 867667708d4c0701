import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { configureHttp, httpAdapter } from '../../src/api/http-app.js';
import { AppModule } from '../../src/app.module.js';
import type { Environment } from '../../src/config/read-settings.js';
import { type LogDestination, PinoLogger } from '../../src/telemetry/pino-logger.js';
import { AmqpModule } from '../../src/transports/amqp/amqp.module.js';

/** What a test says about the service it wants; everything else is valid. */
export interface AppOptions {
  readonly databaseUrl: string;
  /** Where the broker is; without it the service has no transport at all. */
  readonly amqpUrl?: string;
  /** Settings by the names of their variables, over the defaults of a test. */
  readonly settings?: Environment;
  /** Takes the log, which is thrown away otherwise. */
  readonly log?: LogDestination;
}

/** The service, running in this process. */
export interface RunningApp {
  readonly app: NestFastifyApplication;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  close(): Promise<void>;
}

@Module({})
class NoTransport {}

/** Starts the whole service on a free port, as `main.ts` does, without looking at the environment of the process. */
export async function startApp(options: AppOptions): Promise<RunningApp> {
  const environment: Environment = {
    DATABASE_URL: options.databaseUrl,
    AMQP_URL: options.amqpUrl ?? 'amqp://127.0.0.1:1',
    AMQP_APP_KEY: 'test',
    AMQP_APP_SECRET: 'test',
    AMQP_CLIENT_ID: 'test',
    HTTP_PORT: '0',
    PACK_READINGS_AFTER_DAYS: 'never', // tests look into tables
    LOG_LEVEL: options.log ? 'debug' : 'silent',
    ...options.settings,
  };
  let builder = Test.createTestingModule({ imports: [await AppModule.from(environment)] });
  if (options.amqpUrl === undefined) builder = builder.overrideModule(AmqpModule).useModule(NoTransport);
  const logger = new PinoLogger(
    { level: options.log ? 'debug' : 'silent', format: 'json' },
    options.log ?? { write: () => undefined },
  );
  const module = await builder.setLogger(logger).compile();
  const app = module.createNestApplication<NestFastifyApplication>(httpAdapter(), { logger });
  configureHttp(app);
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl(), close: () => app.close() };
}
