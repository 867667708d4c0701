/** What could not be opened, and the settings that move it. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** The setting of the port, and that of the host. */
  readonly setting: string;
  readonly hostSetting: string;
}

/** A port could not be opened. The message says which one, why, and which setting moves it. */
export class PortUnavailable extends Error {
  override readonly name = 'PortUnavailable';

  constructor({ host, port, setting, hostSetting }: Place, cause: NodeJS.ErrnoException) {
    super(`Port ${port} on ${host} ${reason(cause)}. ${advice(cause, setting, hostSetting)}`, { cause });
  }
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  return code === 'EADDRINUSE' ? 'is taken by another process' : `cannot be opened (${message})`;
}

/** Another port is no help where it is the host that this machine does not have. */
function advice({ code }: NodeJS.ErrnoException, setting: string, hostSetting: string): string {
  return code === 'ENOTFOUND' || code === 'EADDRNOTAVAIL' || code === 'EAI_AGAIN'
    ? `Set ${hostSetting} to an address of this machine.`
    : `Set ${setting} to another port, or to 0 for any free one.`;
}
