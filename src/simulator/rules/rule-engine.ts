import type { Registry } from '../devices/registry.js';
import type { Log } from '../log.js';
import type { Forward, Forwarder } from '../platform/forwarding.js';
import type { PlatformMessage } from '../platform/platform-message.js';
import { enterpriseGroup, enterpriseTenant } from '../platform/tenants.js';
import { readTopic } from '../platform/topic.js';
import { Random } from '../random.js';
import { ParserScript, type ScriptRun } from './parser-script.js';
import { BadRule, type ParserDescription, type RuleDescription, type SqlRuleDescription } from './rule.js';
import { ScriptFailed, type Sandbox } from './sandbox.js';
import { ScriptRest } from './script-rest.js';
import type { RuleMessage } from './sql-functions.js';
import { BadSql } from './sql-grammar.js';
import { readJson } from './sql-value.js';
import { compileSql } from './sql.js';
import { BadTopic, TopicIndex, topicLevels } from './topic-filter.js';

/** Of one instance (protocol 11). */
const MAX_PARSERS = 1_000;
const MAX_DESTINATIONS = 10;
/** A failing rule is logged so often at most, in the world's time. */
const LOG_EVERY_MS = 1_000;

export interface RuleEngineOptions {
  readonly sandbox: Sandbox;
  readonly registry: Registry;
  /** Milliseconds since 1970, of the simulated time. */
  readonly now: () => number;
  /** The world's time, in milliseconds from any point. */
  readonly worldNow?: () => number;
  readonly seed: string;
  readonly log: Log;
  /** Publishes on a topic of a device for `writeIotTopic`; says why it cannot, or null. */
  readonly publishToDevice: (topic: string, body: Uint8Array) => string | null;
  /** Hears why a rule failed for a message; for the message log. */
  readonly note?: (messageId: string, rule: string, text: string) => void;
}

/** What a rule makes of one message. */
interface Outcome {
  readonly forwards: readonly Forward[];
  readonly failures: readonly Failure[];
}

interface Failure {
  readonly actionType: 'SQL' | 'SCRIPT' | 'REPUBLISH';
  readonly actionResource: string;
  readonly errorMessage: string;
}

interface Rule {
  readonly name: string;
  readonly tenant: string;
  readonly instanceId: string;
  readonly onError: string | null;
  run(message: RuleMessage): Outcome;
  failures: number;
  loggedAt: number;
}

/**
 * The platform's 云产品流转 into consumer groups. Looks at each message once; what rules make of it is looked at by none,
 * so that no rule feeds itself.
 */
export class RuleEngine implements Forwarder {
  private readonly index = new TopicIndex<Rule>();
  private readonly worldNow: () => number;

  /** Throws `BadRule` for the first rule that cannot be; `part` begins with its place in the list. */
  constructor(
    rules: readonly RuleDescription[],
    private readonly options: RuleEngineOptions,
  ) {
    this.worldNow = options.worldNow ?? (() => performance.now());
    const parsers = new Map<string, number>();
    for (const [place, rule] of rules.entries()) {
      try {
        if ('script' in rule) {
          const count = (parsers.get(rule.instanceId) ?? 0) + 1;
          parsers.set(rule.instanceId, count);
          if (count > MAX_PARSERS) throw new BadRule([], `an instance may have ${MAX_PARSERS} parsers`);
          this.addParser(rule);
        } else this.addSql(rule);
      } catch (error) {
        throw error instanceof BadRule ? new BadRule([place, ...error.part], error.message) : error;
      }
    }
  }

  forwards(message: PlatformMessage, tenant: string | null): readonly Forward[] {
    if (message.topic === null) return NOTHING;
    const rules = this.index.find(message.topic);
    if (rules.length === 0) return NOTHING;
    const made: Forward[] = [];
    let seen: Omit<RuleMessage, 'random'> | null = null;
    for (const rule of rules) {
      if (tenant !== null && tenant !== rule.tenant) continue;
      seen ??= this.seen(message, message.topic);
      const { forwards, failures } = this.run(rule, {
        ...seen,
        random: new Random(`${this.options.seed}/${rule.name}/${message.id}`),
      });
      made.push(...forwards);
      if (failures.length > 0) made.push(...this.failed(rule, seen, failures));
    }
    return made;
  }

  private run(rule: Rule, message: RuleMessage): Outcome {
    try {
      return rule.run(message);
    } catch (error) {
      const errorMessage = error instanceof Error ? error.message : String(error);
      return { forwards: NOTHING, failures: [{ actionType: 'SQL', actionResource: rule.name, errorMessage }] };
    }
  }

  private seen({ id, body }: PlatformMessage, topic: string): Omit<RuleMessage, 'random'> {
    const { registry, now } = this.options;
    const { productKey = null, deviceName = null } = readTopic(topic) ?? {};
    return {
      id,
      topic,
      productKey,
      deviceName,
      body,
      row: readJson(body.toString('utf8'))?.value ?? null,
      now: now(),
      tag: (key) => {
        if (productKey === null || deviceName === null) return null;
        const tags = registry.device(productKey, deviceName)?.tags ?? {};
        return Object.hasOwn(tags, key) ? (tags[key] ?? null) : null;
      },
    };
  }

  /** What the error destination gets: the message as it was, and why. */
  private failed(rule: Rule, message: Omit<RuleMessage, 'random'>, failures: readonly Failure[]): readonly Forward[] {
    const { id, topic, productKey, deviceName, body } = message;
    rule.failures++;
    for (const { errorMessage } of failures) this.options.note?.(id, rule.name, `failed: ${errorMessage}`);
    const at = this.worldNow();
    if (at - rule.loggedAt >= LOG_EVERY_MS) {
      rule.loggedAt = at;
      const [{ errorMessage } = { errorMessage: '' }] = failures;
      this.options.log.warn('a rule failed', {
        rule: rule.name,
        messageId: id,
        reason: errorMessage,
        failures: rule.failures,
      });
    }
    if (rule.onError === null) return NOTHING;
    const report = {
      ruleName: rule.name,
      topic,
      productKey: productKey ?? '',
      deviceName: deviceName ?? '',
      messageId: id,
      base64OriginalPayload: body.toString('base64'),
      failures,
    };
    const group = enterpriseGroup(rule.instanceId, rule.onError);
    return [{ group, rule: rule.name, topic, body: JSON.stringify(report) }];
  }

  private add(
    topics: readonly (readonly string[])[],
    rule: Pick<Rule, 'name' | 'instanceId' | 'onError' | 'run'>,
  ): void {
    const tenant = enterpriseTenant(rule.instanceId);
    const added: Rule = { ...rule, tenant, failures: 0, loggedAt: Number.NEGATIVE_INFINITY };
    for (const levels of topics) this.index.add(levels, added);
  }

  private addSql({ name, instanceId, sql, to, onError }: SqlRuleDescription): void {
    const compiled = compiledOr(() => compileSql(sql), ['sql']);
    const groups = to.map((group) => enterpriseGroup(instanceId, group));
    this.add([compiled.levels], {
      name,
      instanceId,
      onError,
      run: (message) => {
        const body = compiled.run(message);
        if (body === null) return { forwards: NOTHING, failures: [] };
        return { forwards: groups.map((group) => ({ group, rule: name, topic: message.topic, body })), failures: [] };
      },
    });
  }

  private addParser({ name, instanceId, topics, script, destinations, onError }: ParserDescription): void {
    if (destinations.length > MAX_DESTINATIONS) {
      throw new BadRule(['destinations'], `a parser may have ${MAX_DESTINATIONS} destinations`);
    }
    const ids = new Set<number>();
    for (const [place, { id }] of destinations.entries()) {
      if (ids.has(id)) throw new BadRule(['destinations', place], `two destinations with the id ${id}`);
      ids.add(id);
    }
    for (const [place, each] of destinations.entries()) {
      const owner = 'product' in each ? (this.options.registry.product(each.product)?.tenant ?? null) : null;
      if (owner === null || owner === enterpriseTenant(instanceId)) continue;
      throw new BadRule(['destinations', place], `the product belongs to ${owner}, not to the instance of the rule`);
    }
    const levels = topics.map((topic, place) => compiledOr(() => topicLevels(topic), ['topics', place]));
    const kinds = new Map(destinations.map((each) => [each.id, 'group' in each ? 'amqp' : 'topic'] as const));
    const { sandbox } = this.options;
    const parser = compiledOr(() => new ParserScript(sandbox, script.file, script.source, kinds), ['script']);
    const groups = new Map<number, string>();
    const products = new Map<number, string>();
    for (const each of destinations) {
      if ('group' in each) groups.set(each.id, enterpriseGroup(instanceId, each.group));
      else products.set(each.id, each.product);
    }
    const rest = new ScriptRest(this.worldNow);
    this.add(levels, {
      name,
      instanceId,
      onError,
      run: (message) => {
        const { reason } = rest;
        if (reason !== null) {
          const errorMessage = `${script.file}: ${reason}`;
          return { forwards: NOTHING, failures: [{ actionType: 'SCRIPT', actionResource: name, errorMessage }] };
        }
        const run = parser.run(message, message.random.whole(0, 2 ** 31 - 1));
        if (run.failure) rest.after(run.failure);
        return this.outcome(name, message, run, groups, products);
      },
    });
  }

  private outcome(
    name: string,
    { topic }: RuleMessage,
    { writes, failure }: ScriptRun,
    groups: ReadonlyMap<number, string>,
    products: ReadonlyMap<number, string>,
  ): Outcome {
    const forwards: Forward[] = [];
    const failures: Failure[] = [];
    for (const write of writes) {
      if (write.kind === 'amqp') {
        const group = groups.get(write.destination);
        const properties = write.tag === null ? {} : { properties: { tag: write.tag } };
        if (group !== undefined) forwards.push({ group, rule: name, topic, body: write.body, ...properties });
        continue;
      }
      const why = this.republish(write.topic, products.get(write.destination) ?? '', write.body);
      if (why !== null) failures.push({ actionType: 'REPUBLISH', actionResource: write.topic, errorMessage: why });
    }
    if (failure) failures.push({ actionType: 'SCRIPT', actionResource: name, errorMessage: failure.message });
    return { forwards, failures };
  }

  private republish(topic: string, product: string, body: string | Uint8Array): string | null {
    const named = /^(?:\/sys)?\/([^/]+)\//.exec(topic)?.[1];
    if (named !== product) return `writeIotTopic: ${topic} is no topic of the destination's product ${product}`;
    return this.options.publishToDevice(topic, typeof body === 'string' ? Buffer.from(body) : body);
  }
}

const NOTHING: readonly Forward[] = [];

/** What `work` gives; what it refuses, as a `BadRule` about a part of the rule. */
function compiledOr<T>(work: () => T, part: readonly (string | number)[]): T {
  try {
    return work();
  } catch (error) {
    const known = error instanceof BadSql || error instanceof BadTopic || error instanceof ScriptFailed;
    throw known ? new BadRule(part, error.message) : error;
  }
}
