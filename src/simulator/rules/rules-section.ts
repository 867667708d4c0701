import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Description, Path } from '../description-file.js';
import { groupIdsOf, type EnterpriseInstance } from '../platform/tenants.js';
import type { Destination, RuleDescription } from './rule.js';

// The section `rules` of a world file.

const key = z.union([z.string(), z.number().int().transform(String)]);
const group = z.strictObject({ group: key });
const common = {
  name: z.string().regex(/^[\w-]{1,30}$/, 'must be 1 to 30 letters, digits and any of - _'),
  /** instanceId of an Enterprise instance, whose messages it looks at. */
  instance: key,
  /** Consumer group that is told of failures. */
  onError: group.optional(),
};
const sqlRule = z.strictObject({
  ...common,
  sql: z.string().min(1),
  /** Consumer group, or several. */
  to: z.preprocess((value): unknown => (Array.isArray(value) ? value : [value]), z.array(group).min(1).max(10)),
});
const parser = z.strictObject({
  ...common,
  /** Its data source: topics, where `+` is any device. */
  topics: z.array(z.string()).min(1).max(100),
  /** JavaScript file, relative to this one. */
  script: z.string().min(1),
  /** Each a consumer group, or a product on whose topics the script may publish. */
  destinations: z
    .array(
      z
        .strictObject({ id: z.number().int().min(0), group: key.optional(), product: key.optional() })
        .refine(
          (each) => (each.group === undefined) !== (each.product === undefined),
          'must have a group or a product',
        ),
    )
    .min(1),
});

// Told apart by hand: what is missing of a rule should be said, not that it is neither kind.
export const rulesSection = z.array(
  z.unknown().transform((value, context): z.infer<typeof sqlRule> | z.infer<typeof parser> => {
    const isParser = typeof value === 'object' && value !== null && ('script' in value || 'topics' in value);
    const checked = (isParser ? parser : sqlRule).safeParse(value);
    if (checked.success) return checked.data;
    for (const issue of checked.error.issues)
      context.addIssue({ code: 'custom', path: issue.path, message: issue.message });
    return z.NEVER;
  }),
);

export type RulesSection = z.infer<typeof rulesSection>;

/** Rules that wait to be compiled, and how to tell of one that cannot be. */
export interface RulesContext {
  /** Folder of the file. */
  readonly directory: string;
  readonly instances: readonly EnterpriseInstance[];
}

/**
 * Reads the scripts of the rules at `path` of a description and checks what they name. Throws `BadDescription` with the first
 * thing that is wrong. Statements and scripts are compiled by the `RuleEngine`.
 */
export function readRules(
  description: Description<unknown>,
  path: Path,
  rules: RulesSection,
  { directory, instances }: RulesContext,
): RuleDescription[] {
  const names = new Set<string>();
  return rules.map((rule, index) => {
    const wrong = (part: Path, text: string): Error => description.wrong([...path, index, ...part], text);
    const { name, instance: instanceId } = rule;
    if (names.has(name)) throw wrong(['name'], `name: ${name} stands there twice`);
    names.add(name);
    const instance = instances.find((each) => each.instanceId === instanceId);
    if (!instance) throw wrong(['instance'], `instance: there is no Enterprise instance ${JSON.stringify(instanceId)}`);
    const known = groupIdsOf(instance);
    const groupOf = (given: string, ...part: Path): string => {
      if (known.includes(given)) return given;
      throw wrong(part, `${part.join('.')}: the instance has no consumer group ${given}; it has ${known.join(', ')}`);
    };
    const onError = rule.onError ? groupOf(rule.onError.group, 'onError') : null;
    if ('sql' in rule) {
      return { name, instanceId, sql: rule.sql, to: rule.to.map((each) => groupOf(each.group, 'to')), onError };
    }
    const destinations = rule.destinations.map((each, place): Destination => {
      const { id, group, product = '' } = each;
      return group === undefined ? { id, product } : { id, group: groupOf(group, 'destinations', place) };
    });
    const file = resolve(directory, rule.script);
    let source: string;
    try {
      source = readFileSync(file, 'utf8');
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      throw wrong(['script'], `script: ${file} cannot be read (${code})`);
    }
    return { name, instanceId, topics: rule.topics, script: { file: rule.script, source }, destinations, onError };
  });
}
