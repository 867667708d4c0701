/** How many days something is kept; null keeps it for ever. */
export type KeepDays = number | null;

/** What a product's own rule says; what it does not name is kept like that of other products. */
export interface ProductRetention {
  readonly readings?: KeepDays;
  readonly events?: KeepDays;
}

/** What the settings say of retention. */
export interface RetentionSettings {
  readonly retentionReadingsDays?: number | undefined;
  readonly retentionEventsDays?: number | undefined;
  /** By product key. */
  readonly productRetention?: ReadonlyMap<string, ProductRetention> | undefined;
}

const DAY_MS = 86_400_000;

/** The rest: all products without a rule of their own. No product key is empty. */
export const REST = '';

/** How long one kind of history is kept, by product. */
export class Retention {
  constructor(
    readonly rest: KeepDays,
    /** Products with a rule of their own. */
    readonly products: ReadonlyMap<string, KeepDays> = new Map(),
  ) {}

  /** The rule that a product falls under: its own, or REST. */
  ruleOf(product: string): string {
    return this.products.has(product) ? product : REST;
  }

  /** What is older is not kept; null keeps everything. */
  keptFrom(product: string, now: Date): Date | null {
    const days = this.products.get(product);
    const kept = days === undefined ? this.rest : days;
    return kept === null ? null : new Date(now.getTime() - kept * DAY_MS);
  }

  /** The rules (product keys and REST) under which nothing is kept of a time that ended at `end`, sorted. */
  expired(end: Date, now: Date): string[] {
    return this.rules().filter((rule) => {
      const from = this.keptFrom(rule, now);
      return from !== null && utcMidnight(from) >= end.getTime();
    });
  }

  /** Whether nothing is kept of a time that ended at `end`, whatever the product. */
  allExpired(end: Date, now: Date): boolean {
    return this.expired(end, now).length === this.rules().length;
  }

  /** The product keys that have a rule of their own, sorted, and before them REST. */
  rules(): string[] {
    return [REST, ...[...this.products.keys()].sort()];
  }
}

/** The rules of both kinds of history. */
export function retentionOf(settings: RetentionSettings): { readonly readings: Retention; readonly events: Retention } {
  const {
    retentionReadingsDays = null,
    retentionEventsDays = null,
    productRetention = new Map<string, ProductRetention>(),
  } = settings;
  const named = (kind: keyof ProductRetention): Map<string, KeepDays> => {
    const days = new Map<string, KeepDays>();
    for (const [product, rule] of productRetention) {
      const kept = rule[kind];
      if (kept !== undefined) days.set(product, kept);
    }
    return days;
  };
  return {
    readings: new Retention(retentionReadingsDays, named('readings')),
    events: new Retention(retentionEventsDays, named('events')),
  };
}

/** Days end at midnight, UTC: what is kept begins with a whole one. */
function utcMidnight(at: Date): number {
  return Math.floor(at.getTime() / DAY_MS) * DAY_MS;
}
