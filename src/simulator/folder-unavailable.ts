/** A folder or file that a setting names cannot be made or written. The message says which, why and what to do. */
export class FolderUnavailable extends Error {
  override readonly name = 'FolderUnavailable';

  constructor(what: string, path: string, setting: string, cause: unknown) {
    const { code, message } = cause as NodeJS.ErrnoException;
    super(
      `${what} ${path} cannot be written (${code ?? message}). Set ${setting} to another one, or mend its rights.`,
      {
        cause,
      },
    );
  }
}
