import type { Log } from '../log.js';
import type { Admission } from './admission.js';
import { checkCredentials, claimedGroup, type Login } from './credentials.js';
import type { Tenants } from './tenants.js';

/** What the door tells a client: it is in, its credentials are refused, or it should come again later. */
export type SignIn =
  | { readonly kind: 'admitted'; readonly login: Login }
  | { readonly kind: 'refused' }
  | { readonly kind: 'turned-away' };

/** Why a sign-in failed, for the simulator's own eyes. */
export interface RefusedSignIn {
  readonly clientId: string;
  /** Where the client called from, `address:port`. */
  readonly peer: string;
  readonly reason: string;
}

/** Lets clients in: their credentials, the limits of the platform, and what a fault asks for. */
export class Gate {
  /** Refuses everybody while true. */
  refusing = false;
  admitted = 0;
  refused = 0;
  private readonly listeners: ((refused: RefusedSignIn) => void)[] = [];

  constructor(
    private readonly tenants: Tenants,
    private readonly admission: Admission,
    /** Milliseconds since 1970 by the world's clock, since clients sign with theirs. */
    private readonly worldNow: () => number,
    private readonly log: Log,
  ) {}

  onRefused(listener: (refused: RefusedSignIn) => void): void {
    this.listeners.push(listener);
  }

  signIn(userName: string, password: string, peer: string): SignIn {
    const { accounts } = this.tenants;
    const group = claimedGroup(userName, accounts);
    const tooMany = group === null ? null : this.admission.attempt(group);
    if (tooMany !== null) return this.refuse(userName, peer, tooMany, 'turned-away');
    if (this.refusing) return this.refuse(userName, peer, 'told to refuse everybody', 'refused');
    const verdict = checkCredentials(userName, password, accounts, this.worldNow());
    if ('refused' in verdict) return this.refuse(userName, peer, verdict.refused, 'refused');
    const full = this.admission.enter(verdict.login.tenant, verdict.login.group);
    if (full !== null) return this.refuse(userName, peer, full, 'turned-away');
    this.admitted++;
    return { kind: 'admitted', login: verdict.login };
  }

  /** Refuses a client for something else than its credentials. */
  refuseFor(reason: string, peer: string): void {
    this.refuse('', peer, reason, 'refused');
  }

  /** A client that was let in is gone. */
  left({ tenant, group }: Login): void {
    this.admission.leave(tenant, group);
  }

  private refuse(userName: string, peer: string, reason: string, kind: 'refused' | 'turned-away'): SignIn {
    this.refused++;
    // What stands before the first bar is the clientId; of anything else only its beginning, since it may be a secret.
    const clientId = userName.includes('|') ? userName.slice(0, Math.min(64, userName.indexOf('|'))) : '';
    this.log.warn(kind === 'refused' ? 'refused a sign-in' : 'turned a sign-in away', {
      client: clientId,
      peer,
      reason,
    });
    for (const listener of this.listeners) listener({ clientId, peer, reason });
    return { kind };
  }
}
