import { describe, expect, it } from '@jest/globals';
import { PortUnavailable } from './port-unavailable.js';

describe('a port that cannot be opened', () => {
  const place = { host: 'far.example', port: 5_671, setting: 'SIMULATOR_TLS_PORT', hostSetting: 'SIMULATOR_HOST' };
  it.each([
    ['EADDRINUSE', 'is taken by another process. Set SIMULATOR_TLS_PORT to another port, or to 0 for any free one.'],
    ['EACCES', 'cannot be opened (no). Set SIMULATOR_TLS_PORT to another port, or to 0 for any free one.'],
    ['EADDRNOTAVAIL', 'cannot be opened (no). Set SIMULATOR_HOST to an address of this machine.'],
    ['ENOTFOUND', 'cannot be opened (no). Set SIMULATOR_HOST to an address of this machine.'],
  ])('after %s names the setting that helps', (code, rest) => {
    const cause: NodeJS.ErrnoException = Object.assign(new Error('no'), { code });
    expect(new PortUnavailable(place, cause).message).toBe(`Port 5671 on far.example ${rest}`);
  });
});
