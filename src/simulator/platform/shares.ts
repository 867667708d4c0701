import type { Random } from '../random.js';

/** The smallest share of a client right after a change, against an even one. */
const SMALLEST = 0.1;

/**
 * How a group's messages are shared out among its clients: by chance. After a client joins or leaves some get far more than
 * others, which evens out within a time (protocol 4.1).
 */
export class Shares<Client> {
  private readonly uneven = new Map<Client, number>();
  private changedAt = Number.NEGATIVE_INFINITY;

  /** `settlingMs` in simulated time; 0 shares evenly from the start. */
  constructor(
    private readonly settlingMs: number,
    private readonly random: Random,
  ) {}

  /** These are the clients from now on. */
  changed(clients: Iterable<Client>, simulated: number): void {
    if (this.settlingMs === 0) return;
    this.changedAt = simulated;
    this.uneven.clear();
    for (const client of clients) this.uneven.set(client, this.random.between(SMALLEST, 1));
  }

  /** One of these, who is given the next message. */
  pick(clients: readonly Client[], simulated: number): Client | undefined {
    if (clients.length < 2) return clients[0];
    const settled = this.settlingMs === 0 ? 1 : Math.min(1, (simulated - this.changedAt) / this.settlingMs);
    if (settled === 1) return clients[Math.floor(this.random.next() * clients.length)];
    const weights = clients.map((client) => {
      const uneven = this.uneven.get(client) ?? 1;
      return uneven + (1 - uneven) * settled;
    });
    let point = this.random.next() * weights.reduce((sum, weight) => sum + weight, 0);
    const index = weights.findIndex((weight) => (point -= weight) < 0);
    return clients[index] ?? clients.at(-1);
  }
}
