/** What ends the command, in words for people. */
export class CannotExport extends Error {
  override readonly name = 'CannotExport';

  constructor(
    message: string,
    /** 1: it failed, and can be tried again; 2: it was asked for wrongly. */
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}
