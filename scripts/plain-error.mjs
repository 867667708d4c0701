// @ts-check

/** An error that people can act on: shown as its message alone, without a stack. */
export class PlainError extends Error {
  /**
   * @param {string} message what happened, to what, what to do
   * @param {{ cause?: unknown }} [options]
   */
  constructor(message, options) {
    super(message, options);
    this.name = 'PlainError';
  }
}

/**
 * The `code` of a system error (`ENOENT`) or of PostgreSQL (`28P01`), if it has one.
 * @param {unknown} error
 * @returns {string | undefined}
 */
export function codeOf(error) {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * What an error says, whatever was thrown.
 * @param {unknown} error
 */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Runs a command's work and ends the process when it is done: with its exit code, or with 1 after the reason.
 * @param {() => Promise<number | void>} work
 */
export async function runCommand(work) {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    console.error(error instanceof PlainError ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
  // What is still open (a log pipe, a timer of a child already gone) must not keep the terminal.
  process.exit();
}
