import { z } from 'zod';
import { parseDescription, readDescription, type Description } from '../description-file.js';
import { bundled } from '../bundled.js';
import { faultKind } from './catalogue.js';
import { parseDuration } from './duration.js';
import { durationSchema } from './parameters.js';

/** A message that a scenario publishes; `body` may hold `{{now}}` and `{{now-5m}}`, which become simulated times. */
const publication = z
  .strictObject({
    topic: z.string().max(10_000).nullable(),
    body: z.unknown().optional(),
    bodyBase64: z.base64('must be Base64').optional(),
    messageId: z.string().min(1).max(256).nullable().optional(),
    generateTime: z.union([z.int(), z.string()]).nullable().optional(),
    qos: z.int().nullable().optional(),
    tenant: z.string().max(256).nullable().optional(),
  })
  .superRefine(({ body, bodyBase64 }, context) => {
    if ((body === undefined) === (bodyBase64 === undefined)) {
      context.addIssue({ code: 'custom', message: 'needs either "body" or "bodyBase64"' });
    }
    for (const [time, , by] of JSON.stringify(body ?? '').matchAll(/\{\{\s*now\s*([+-]?)([^}]*)\}\}/g)) {
      if (/^\{\{now(?:[+-][^}]+)?\}\}$/.test(time) && (!by || parseDuration(by) !== null)) continue;
      context.addIssue({
        code: 'custom',
        path: ['body'],
        message: `${time} is no time: {{now}}, {{now-5m}}, {{now+1h}}`,
      });
    }
  });

const command = z.strictObject({
  device: z.string().regex(/^[^:]+:.+$/, 'must be productKey:deviceName'),
  service: z.string().min(1).max(256),
  params: z.record(z.string(), z.unknown()).default({}),
});

const step = z
  .strictObject({
    at: durationSchema().prefault('0s'),
    fault: z.string().optional(),
    with: z.record(z.string(), z.unknown()).optional(),
    for: durationSchema(1).optional(),
    publish: publication.optional(),
    command: command.optional(),
    every: durationSchema(1).optional(),
    repeat: z.int().min(1).max(1_000_000).optional(),
  })
  .superRefine((given, context) => {
    const wrong = (path: readonly PropertyKey[], message: string): void =>
      context.addIssue({ code: 'custom', path: [...path], message });
    const actions = [given.fault, given.publish, given.command].filter((action) => action !== undefined);
    if (actions.length !== 1) wrong([], 'a step has one of "fault", "publish" and "command"');
    if (given.repeat !== undefined && given.every === undefined) wrong(['repeat'], 'needs "every" beside it');
    if (given.fault === undefined) {
      if (given.with) wrong(['with'], 'are parameters of a fault, and the step has none');
      if (given.for !== undefined) wrong(['for'], 'is how long a fault lasts, and the step has none');
      return;
    }
    const kind = faultKind(given.fault);
    if (typeof kind === 'string') return wrong(['fault'], kind);
    if (kind.course === 'once' && given.for !== undefined) {
      wrong(['for'], `${kind.name} happens at once and does not last; use "every" and "repeat" to have it again`);
    }
    const checked = kind.schema.safeParse(given.with ?? {});
    for (const issue of checked.success ? [] : checked.error.issues) {
      const key = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
      wrong(['with', ...issue.path, ...key], issue.message);
    }
  });

const scenario = z
  .strictObject({
    name: z.string().min(1).max(100).optional(),
    seed: z
      .union([z.string().min(1).max(256), z.number()])
      .transform(String)
      .optional(),
    /** Of which clock all times are. */
    clock: z.enum(['simulated', 'world'], 'must be simulated or world').default('simulated'),
    /** When everything that is still going on is ended. */
    ends: durationSchema(1).optional(),
    steps: z.array(step).min(1, 'needs at least one step').max(10_000),
  })
  .superRefine(({ ends, steps }, context) => {
    steps.forEach((each, index) => {
      const wrong = (name: string, message: string): void =>
        context.addIssue({ code: 'custom', path: ['steps', index, name], message });
      if (ends !== undefined) {
        if (each.at >= ends) wrong('at', 'is not before the end of the scenario');
        return;
      }
      const kind = each.fault === undefined ? undefined : faultKind(each.fault);
      if (typeof kind === 'object' && kind.course === 'lasting' && each.for === undefined) {
        wrong('fault', `${kind.name} lasts: say for how long with "for", or when the scenario "ends"`);
      }
      if (each.every !== undefined && each.repeat === undefined) {
        wrong('every', 'goes on for ever: say how often with "repeat", or when the scenario "ends"');
      }
    });
  });

export type ScenarioFile = z.infer<typeof scenario>;
export type ScenarioStep = ScenarioFile['steps'][number];
export type ScenarioPublication = z.infer<typeof publication>;

const BUILTIN = 'builtin:';

/** Reads a scenario file, or one that comes with the simulator (`builtin:storm`). Throws `BadDescription`. */
export function readScenario(file: string): ScenarioFile {
  const path = file.startsWith(BUILTIN) ? bundled(`scenarios/${file.slice(BUILTIN.length)}.yaml`) : file;
  return named(readDescription(path, scenario), file);
}

/** The same from text; `file` is named in errors. */
export function parseScenario(file: string, text: string): ScenarioFile {
  return named(parseDescription(file, text, scenario), file);
}

const named = ({ value }: Description<ScenarioFile>, file: string): ScenarioFile => ({
  ...value,
  name: value.name ?? file,
});
