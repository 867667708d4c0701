import { z } from 'zod';
import { bundled } from './bundled.js';
import { readDescription } from './description-file.js';
import { tenantsSection } from './platform/tenants-section.js';
import type { Accounts, GroupLimits } from './platform/tenants.js';

/** What a world file says: who there is, what they own, and what happens to their messages. */
export interface World {
  /** Null where the file has no `tenants:`; the settings name one Living app and one Enterprise instance then. */
  readonly accounts: Accounts | null;
}

/** `builtin:name` is one that comes with the simulator; anything else is a path. */
export function worldFile(name: string): string {
  return name.startsWith('builtin:') ? bundled(`worlds/${name.slice('builtin:'.length)}.yaml`) : name;
}

/**
 * Reads a world file (YAML or JSON). Throws `BadDescription` with the first problem, as `file:line: what is wrong`; each part
 * of the simulator checks its own section.
 */
export function readWorld(file: string, limits: GroupLimits): World {
  const schema = z.strictObject({
    tenants: tenantsSection(limits).optional(),
    products: z.unknown().optional(),
    fleet: z.unknown().optional(),
    rules: z.unknown().optional(),
  });
  const { value } = readDescription(file, schema);
  return { accounts: value.tenants ?? null };
}
