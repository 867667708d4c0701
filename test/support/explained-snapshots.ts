import { type Query, Snapshots } from '../../src/storage/snapshots.js';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Plan[];
}

interface Explained {
  readonly Plan: Plan;
}

/** Has PostgreSQL explain every question before it is asked. */
export class ExplainedSnapshots extends Snapshots {
  readonly explained: Explained[] = [];

  override async read<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return super.read((query) =>
      work(async (sql, ...parameters) => {
        const [row] = await query<{ 'QUERY PLAN': Explained[] }>(
          `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
          ...parameters,
        );
        this.explained.push(...(row?.['QUERY PLAN'] ?? []));
        return query(sql, ...parameters);
      }),
    );
  }

  /** The scans that read anything, as `Index Scan DeviceTag`; partitions without their table's name. */
  scans(): string[] {
    const walk = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(walk)];
    return this.explained
      .flatMap(({ Plan: plan }) => walk(plan))
      .filter(
        (plan) => plan['Relation Name'] !== undefined && plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] > 0,
      )
      .map((plan) => `${plan['Node Type']} ${plan['Relation Name'] ?? ''}`);
  }

  blocks(): number {
    return this.explained.reduce(
      (sum, { Plan: plan }) => sum + plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
      0,
    );
  }
}
