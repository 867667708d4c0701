import type { Random } from '../random.js';

/** What faults do to the platform; the simulator itself. Counts say how many connections were met. */
export interface FaultTarget {
  /** Resets every client's TCP connection. */
  dropConnections(): number;
  /** Closes every connection with an AMQP condition, as for maintenance. */
  closeConnections(condition?: string, description?: string): number;
  /** Detaches every receiver link. */
  detachLinks(condition?: string, description?: string): number;
  /** From now on neither reads from nor writes to the connections that are open, and leaves them open for so long. */
  halfOpen(forMs: number): number;
  /** Resets each connection after it was sent so many more bytes, in the middle of whatever that is. */
  cutAfter(bytes: number): number;
  /** From now on sends nothing on the links that are open, although they have credit. */
  silenceLinks(): number;
  /** Forgets the credit of the connections that are open, and what they grant from now on. */
  forgetCredit(): number;
  /** Holds every TLS handshake up for so long; 0 ends it. */
  slowTls(delayMs: number): void;
  refuseLogins(refuse: boolean): void;
  /** Gives a tenant's key (of all its keys, without `keyId`) another secret, and later its former one back with `restore`. */
  rotateSecrets(tenant: string, keyId?: string): { restore(): void };
  /** Switches the data sync of a Living app; its clients must reconnect before they receive again. */
  setSync(appKey: string, on: boolean): void;
  /** Lets a device, or one by that chance, go offline and online so many times within a moment. */
  flap(times: number, device?: string, chance?: Random): void;
}
