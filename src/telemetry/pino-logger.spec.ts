import { expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { PinoLogger } from './pino-logger.js';

function logged(write: (logger: PinoLogger) => void, level = 'debug'): Record<string, unknown>[] {
  const lines: string[] = [];
  write(new PinoLogger({ level, format: 'json' }, { write: (line) => lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

it('writes a constant message with fields', () => {
  expect(logged((logger) => logger.warn('Connection lost', { peer: 'a:1', attempts: 2 }, 'Amqp'))).toEqual([
    expect.objectContaining({ level: 40, msg: 'Connection lost', peer: 'a:1', attempts: 2, context: 'Amqp' }),
  ]);
  expect(logged((logger) => logger.log({ msg: 'Listening', url: 'x' }, 'Main'))).toEqual([
    expect.objectContaining({ level: 30, msg: 'Listening', url: 'x', context: 'Main' }),
  ]);
});

it('writes an error with its cause and its stack', () => {
  const error = new Error('outer', { cause: new Error('inner') });
  const [line] = logged((logger) => logger.error('Request failed', error, 'Filter'));
  expect(line).toMatchObject({ level: 50, msg: 'Request failed', context: 'Filter', err: { type: 'Error' } });
  expect(JSON.stringify(line)).toContain('inner');
  expect(logged((logger) => logger.error(error, 'Filter'))[0]).toMatchObject({ msg: expect.stringContaining('outer') });
});

it('writes times that machines and people can read', () => {
  expect(logged((logger) => logger.log('x'))[0]).toMatchObject({ time: expect.stringMatching(/^\d{4}-.*Z$/) });
});

it('keeps quiet below its level, and about what Nest does at every start', () => {
  expect(logged((logger) => logger.log('x'), 'warn')).toEqual([]);
  expect(logged((logger) => logger.log('Mapped route', 'RouterExplorer'), 'info')).toEqual([]);
});

it('writes one line for people', () => {
  const lines: string[] = [];
  new PinoLogger({ level: 'info', format: 'pretty' }, { write: (line) => lines.push(line) }).log('Listening', {
    url: 'x',
  });
  expect(lines.join('')).toMatch(/^\[.*INFO.*Listening.*"url":"x".*\n$/);
});

it("is what Nest's loggers write to", () => {
  const lines: string[] = [];
  Logger.overrideLogger(new PinoLogger({ level: 'info', format: 'json' }, { write: (line) => lines.push(line) }));
  new Logger('Ingestor').warn('Slow', { ms: 3 });
  Logger.overrideLogger(false);
  expect(JSON.parse(lines.join(''))).toMatchObject({ msg: 'Slow', ms: 3, context: 'Ingestor' });
});
