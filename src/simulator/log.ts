export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** Where the simulator says what it did. A line is a constant message plus fields; never a secret. */
export interface Log {
  info(msg: string, fields?: LogFields): void;
  warn(msg: string, fields?: LogFields): void;
}

/** Says nothing; what tests use unless they want to listen. */
export const silentLog: Log = { info: () => undefined, warn: () => undefined };

/** One plain line an entry, as the simulator's own process prints. */
export function lineLog(write: (line: string) => void): Log {
  const line = (level: string, msg: string, fields: LogFields = {}): void => {
    const details = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
    write(`${new Date().toISOString()} ${level} simulator: ${msg}${details.join('')}\n`);
  };
  return { info: (msg, fields) => line('INFO', msg, fields), warn: (msg, fields) => line('WARN', msg, fields) };
}
