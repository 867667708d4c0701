/** One exchange, in the shape that rhea's SASL layer calls. `outcome` undefined would ask the client for another step. */
interface Exchange {
  outcome: boolean | undefined;
  username: string | undefined;
  start(response: unknown): void;
}

/**
 * SASL PLAIN for a rhea server. Rhea's own answers a malformed response with outcome 2 (system error) and reads NUL-separated
 * text loosely; the platform says outcome 1 to every refusal (protocol 1.3).
 */
export function plainMechanism(check: (userName: string, password: string) => boolean): () => Exchange {
  return () => ({
    outcome: undefined,
    username: undefined,
    start(response) {
      const parts = Buffer.isBuffer(response) ? response.toString('utf8').split('\0') : [];
      const [, userName = '', password = ''] = parts;
      this.outcome = check(parts.length === 3 ? userName : '', password);
      this.username = userName;
    },
  });
}
