/** One exchange, in the shape that rhea's SASL layer calls. `outcome` undefined would ask the client for another step. */
interface Exchange {
  outcome: boolean | undefined;
  username: string | undefined;
  start(response: unknown): Promise<void> | void;
}

/** A mechanism in the shape that rhea's SASL layer calls. */
export type Mechanism = () => Exchange;

/** What the client is told: it is in, SASL outcome 1, or nothing by rhea, since another outcome was written already. */
export type PlainVerdict = 'admitted' | 'refused' | 'answered';

/**
 * SASL PLAIN for a rhea server. Rhea's own answers a malformed response with outcome 2 (system error) and reads NUL-separated
 * text loosely; the platform says outcome 1 to every refusal (protocol 1.3). Any other mechanism that a client chooses without
 * being offered it is `refused` with its name: rhea would leave such a client waiting.
 */
export function plainOnly(
  check: (userName: string, password: string) => PlainVerdict,
  refuse: () => void,
): Record<string, Mechanism> {
  const refusing: Mechanism = () => exchange(() => (refuse(), 'refused'));
  const plain: Mechanism = () =>
    exchange((response) => {
      const parts = Buffer.isBuffer(response) ? response.toString('utf8').split('\0') : [];
      const [, userName = '', password = ''] = parts;
      return check(parts.length === 3 ? userName : '', password);
    });
  // rhea offers the properties of the object itself, and looks a chosen one up along its prototypes.
  const others: object = new Proxy({}, { get: () => refusing });
  return Object.assign(Object.create(others) as Record<string, Mechanism>, { PLAIN: plain });
}

function exchange(verdictOn: (response: unknown) => PlainVerdict): Exchange {
  return {
    outcome: undefined,
    username: undefined,
    start(response) {
      const verdict = verdictOn(response);
      this.outcome = verdict === 'admitted';
      // What never resolves is never answered.
      return verdict === 'answered' ? new Promise<void>(() => undefined) : undefined;
    },
  };
}

/** The SASL outcome "temporary system error", code 4: come again later (protocol 13). Rhea has no way to send it. */
export const TEMPORARY_OUTCOME = Buffer.from('0000001002010000005344c003015004', 'hex');
