import type { KeepDays, ProductRetention } from '../domain/retention.js';

const SHAPE = 'must be such as "a1B2c3D4e5F:readings=30:events=90, a1Xy:readings=keep"';
const PRODUCT = /^[A-Za-z0-9]{1,40}$/;
const MOST_DAYS = 36_500;
const MOST_PRODUCTS = 50;

/** RETENTION_PRODUCTS is not understood; the message completes the sentence "it …". */
export class BadProductRetention extends Error {
  override readonly name = 'BadProductRetention';
}

/**
 * Reads the retention of products: `productKey:readings=days:events=days`, one after the other with commas or blanks between.
 * `keep` keeps for ever; of readings and events one may be missing.
 * @throws BadProductRetention
 */
export function readProductRetention(text: string): ReadonlyMap<string, ProductRetention> {
  const products = new Map<string, ProductRetention>();
  for (const entry of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const [product = '', ...rules] = entry.split(':');
    if (!PRODUCT.test(product)) bad(`${SHAPE}: ${quoted(product)} is no product key (1 to 40 letters and digits)`);
    if (products.has(product)) bad(`must name each product once: ${quoted(product)} is there twice`);
    if (rules.length === 0) bad(`${SHAPE}: ${quoted(product)} has no rule`);
    products.set(product, ruleOf(product, rules));
  }
  if (products.size > MOST_PRODUCTS)
    bad(`must name at most ${MOST_PRODUCTS} products, as each has partitions of its own`);
  return products;
}

function ruleOf(product: string, rules: readonly string[]): ProductRetention {
  const rule: { readings?: KeepDays; events?: KeepDays } = {};
  for (const each of rules) {
    const [, kind = '', days = ''] = /^(readings|events)=(.*)$/.exec(each) ?? [];
    if (kind !== 'readings' && kind !== 'events') bad(`${SHAPE}: ${quoted(each)} of ${product} is not understood`);
    if (rule[kind] !== undefined) bad(`must say ${kind} of ${product} once`);
    rule[kind] = daysOf(days, `${kind} of ${product}`);
  }
  return rule;
}

function daysOf(text: string, what: string): KeepDays {
  if (text === 'keep') return null;
  const days = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > MOST_DAYS)
    bad(`must give ${what} whole days, 1 to ${MOST_DAYS}, or keep: not ${quoted(text)}`);
  return days;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function bad(problem: string): never {
  throw new BadProductRetention(problem);
}
