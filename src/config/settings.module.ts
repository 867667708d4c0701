import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { type Environment, readSettings } from './read-settings.js';
import { Settings } from './settings.js';
import { typosIn } from './setting-typos.js';

/** Variables that look misspelt, for the log once there is one. */
export class SettingTypos {
  constructor(readonly sentences: readonly string[]) {}
}

/** Makes the checked `Settings` injectable everywhere. */
@Global()
@Module({})
export class SettingsModule {
  /**
   * Reads the process's environment and `.env` (the environment wins), or only what is given.
   * @throws BadSettings, which ends the start.
   */
  static async read(given?: Environment): Promise<DynamicModule> {
    const config = await ConfigModule.forRoot({
      ...(given && { ignoreEnvFile: true, validatePredefined: false }),
      // Kept under names of our own, so that nothing of `.env` leaks into the environment of the process.
      validate: (environment: Environment) => ({
        settings: readSettings(given ?? environment),
        typos: new SettingTypos(typosIn(given ?? environment)),
      }),
    });
    return {
      module: SettingsModule,
      imports: [config],
      providers: [provided(Settings, 'settings'), provided(SettingTypos, 'typos')],
      exports: [Settings, SettingTypos],
    };
  }
}

function provided<T>(token: abstract new (...args: never[]) => T, name: string) {
  return { provide: token, inject: [ConfigService], useFactory: (config: ConfigService) => config.getOrThrow<T>(name) };
}
