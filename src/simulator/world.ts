import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { bundled } from './bundled.js';
import { readDescription, type BadDescription, type Path } from './description-file.js';
import {
  fleetSection,
  productsSection,
  readProducts,
  type FleetSection,
  type ProductPlan,
} from './devices/products-section.js';
import { tenantsSection } from './platform/tenants-section.js';
import { enterpriseTenant, livingTenant, type Accounts, type GroupLimits } from './platform/tenants.js';
import type { RuleDescription } from './rules/rule.js';
import { readRules, rulesSection } from './rules/rules-section.js';

/** What a world file says: who there is, what they own, and what happens to their messages. */
export interface World {
  /** Null where the file has no `tenants:`; the settings name one Living app and one Enterprise instance then. */
  readonly accounts: Accounts | null;
  /** Null where the file has no `products:`; there are the demo's then. */
  readonly products: readonly ProductPlan[] | null;
  readonly fleet: FleetSection;
  readonly rules: readonly RuleDescription[];
  /** An error about a part of `rules`, for those that cannot be compiled (`BadRule`). */
  readonly wrongRule: (part: Path, text: string) => BadDescription;
}

const NOBODY: Accounts = { apps: [], instances: [], freshnessWindowMs: null };

/** `builtin:name` is one that comes with the simulator; anything else is a path. */
export function worldFile(name: string): string {
  return name.startsWith('builtin:') ? bundled(`worlds/${name.slice('builtin:'.length)}.yaml`) : name;
}

/**
 * Reads a world file (YAML or JSON). Throws `BadDescription` with the first problem, as `file:line: what is wrong`; each part
 * of the simulator checks its own section. `usual` is who there is where the file names nobody.
 */
export function readWorld(file: string, limits: GroupLimits, usual: Accounts = NOBODY): World {
  const schema = z.strictObject({
    tenants: tenantsSection(limits).optional(),
    products: productsSection.optional(),
    fleet: fleetSection.optional(),
    rules: rulesSection.optional(),
  });
  const description = readDescription(file, schema);
  const { value } = description;
  const accounts = value.tenants ?? null;
  const { apps, instances } = accounts ?? usual;
  const products =
    value.products === undefined
      ? null
      : readProducts(description, ['products'], value.products, {
          directory: dirname(resolve(file)),
          appKeys: apps.map(({ appKey }) => appKey),
          instanceIds: instances.map(({ instanceId }) => instanceId),
        });
  if (accounts && products) {
    const foreign = foreignProduct(accounts, products);
    if (foreign) throw description.wrong(foreign.path, foreign.text);
  }
  const rules = readRules(description, ['rules'], value.rules ?? [], { directory: dirname(resolve(file)), instances });
  const wrongRule = (part: Path, text: string): BadDescription =>
    description.wrong(['rules', ...part], `${part.slice(1).join('.')}: ${text}`);
  return { accounts, products, fleet: value.fleet ?? {}, rules, wrongRule };
}

/** The first subscription or exclusion that names a product which is not its tenant's: mistyped, it would never match. */
function foreignProduct(
  { apps, instances }: Accounts,
  products: readonly ProductPlan[],
): { readonly path: Path; readonly text: string } | undefined {
  const unknown = (tenant: string, key: string): string | null => {
    const own = products.filter(({ product }) => product.tenant === tenant).map(({ product }) => product.productKey);
    return own.includes(key) ? null : `${key} is no product of this tenant; it has ${own.join(', ') || 'none'}`;
  };
  const named: { readonly path: Path; readonly tenant: string; readonly key: string }[] = [
    ...apps.flatMap(({ appKey, exclude = [] }, app) =>
      exclude.map((key, place) => ({
        path: ['tenants', 'living', app, 'exclude', place],
        tenant: livingTenant(appKey),
        key,
      })),
    ),
    ...instances.flatMap(({ instanceId, subscriptions = [] }, instance) =>
      subscriptions.map(({ product }, place) => ({
        path: ['tenants', 'enterprise', instance, 'subscriptions', place, 'product'],
        tenant: enterpriseTenant(instanceId),
        key: product,
      })),
    ),
  ];
  for (const { path, tenant, key } of named) {
    const text = unknown(tenant, key);
    if (text !== null) return { path, text };
  }
  return undefined;
}
