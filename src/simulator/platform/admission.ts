/** How many clients may connect (protocol 9); null is no limit. */
export interface ConnectionLimits {
  /** Of one tenant at a time. */
  readonly connections: number | null;
  /** Of one consumer group at a time. */
  readonly clientsOfGroup: number | null;
  /** Sign-ins that name one consumer group, let in or refused, within any minute of the world's time. */
  readonly connectsPerMinute: number | null;
}

/** The platform's own numbers. */
export const CONNECTION_LIMITS: ConnectionLimits = { connections: 128, clientsOfGroup: 64, connectsPerMinute: 100 };
export const NO_CONNECTION_LIMITS: ConnectionLimits = {
  connections: null,
  clientsOfGroup: null,
  connectsPerMinute: null,
};

const MINUTE_MS = 60_000;

/**
 * Counts clients and sign-ins against the limits. The platform documents numbers and nothing else; that refused sign-ins
 * count too, that the minute slides, and that what this limit turns away does not count again is a guess.
 */
export class Admission {
  private readonly attempts = new Map<string, number[]>();
  private readonly tenants = new Map<string, number>();
  private readonly groups = new Map<string, number>();

  /** `now` in milliseconds, of a clock that never goes back. */
  constructor(
    private readonly limits: ConnectionLimits,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Counts a sign-in to a group, before its password is looked at. Says which limit turns it away, or nothing. */
  attempt(group: string): string | null {
    const { connectsPerMinute: most } = this.limits;
    if (most === null) return null;
    const now = this.now();
    const recent = (this.attempts.get(group) ?? []).filter((at) => at > now - MINUTE_MS);
    this.attempts.set(group, recent);
    if (recent.length >= most) return `more than ${most} sign-ins to ${group} within a minute`;
    recent.push(now);
    return null;
  }

  /** Counts a client in, or says which limit turns it away. */
  enter(tenant: string, group: string): string | null {
    const { connections, clientsOfGroup } = this.limits;
    const [ofTenant, ofGroup] = [this.tenants.get(tenant) ?? 0, this.groups.get(group) ?? 0];
    if (connections !== null && ofTenant >= connections) return `${tenant} has ${ofTenant} connections already`;
    if (clientsOfGroup !== null && ofGroup >= clientsOfGroup) return `${group} has ${ofGroup} clients already`;
    this.tenants.set(tenant, ofTenant + 1);
    this.groups.set(group, ofGroup + 1);
    return null;
  }

  /** A client that was counted in is gone. */
  leave(tenant: string, group: string): void {
    this.tenants.set(tenant, (this.tenants.get(tenant) ?? 1) - 1);
    this.groups.set(group, (this.groups.get(group) ?? 1) - 1);
  }
}
