import type { LoggerService } from '@nestjs/common';
import { type Level, type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';

/** What the log looks like. */
export interface LogStyle {
  readonly level: string;
  readonly format: 'pretty' | 'json';
}

/** Takes finished lines; the process's standard output unless told otherwise. */
export interface LogDestination {
  write(line: string): void;
}

/** Nest tells of every module and route at each start, which is news to nobody. */
const NEST_AT_WORK: ReadonlySet<unknown> = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
]);

/**
 * Nest's logger on pino. A line is a constant message plus fields: `logger.warn('Connection lost', { peer, attempts })` or
 * `logger.warn({ msg: 'Connection lost', peer })`; an Error among the arguments becomes `err`.
 */
export class PinoLogger implements LoggerService {
  private readonly pino: Logger;

  constructor(style: LogStyle, destination: LogDestination = process.stdout) {
    const prettify =
      style.format === 'pretty'
        ? prettyFactory({
            colorize: process.stdout.isTTY,
            singleLine: true,
            translateTime: 'SYS:HH:MM:ss',
            ignore: 'pid,hostname',
          })
        : null;
    // Written synchronously and not by a worker thread: the last lines before an exit matter most.
    const write = (line: string): void => destination.write(prettify ? prettify(line) : line);
    this.pino = pino(
      { level: style.level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
      { write },
    );
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write(NEST_AT_WORK.has(rest.at(-1)) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: Level, message: unknown, rest: unknown[]): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const fields: Record<string, unknown> = {};
    for (const part of [message, ...rest]) {
      if (part instanceof Error) fields['err'] = part;
      else if (typeof part === 'object' && part !== null) Object.assign(fields, part);
    }
    for (const part of rest) {
      if (typeof part !== 'string') continue;
      // Nest hands a stack over as text, and the name of the logging class as the last argument.
      fields[/\n\s+at /.test(part) ? 'stack' : 'context'] = part;
    }
    const text = typeof message === 'string' ? message : undefined;
    this.pino[level](fields, text ?? (message instanceof Error ? message.message : undefined));
  }
}
