import { afterAll, describe, expect, it } from '@jest/globals';
import { aDevice, aProduct } from '../../../test/support/simulated-device.js';
import { Registry } from '../devices/registry.js';
import type { Log } from '../log.js';
import type { Forward } from '../platform/forwarding.js';
import type { PlatformMessage } from '../platform/platform-message.js';
import type { ParserDescription, RuleDescription, SqlRuleDescription } from './rule.js';
import { BadRule } from './rule.js';
import { RuleEngine, type RuleEngineOptions } from './rule-engine.js';
import { Sandbox } from './sandbox.js';

const sandbox = new Sandbox();
afterAll(() => sandbox.close());

const GROUP = 'enterprise/iot-demo0001/';
const TOPIC = '/h9DemoEnt02/boiler-3/thing/event/property/post';

const aMessage = (over: Partial<PlatformMessage> & { text?: string } = {}): PlatformMessage => ({
  id: '100000000000000001',
  anonymous: false,
  topic: TOPIC,
  body: Buffer.from(over.text ?? '{"big":1234567890123456789,"items":{"WaterTemp":{"value":61.5},"2Co":{"value":10}}}'),
  bodyForm: 'data',
  generateTime: 1,
  qos: 1,
  properties: {},
  tenant: 'enterprise/iot-demo0001',
  publishedAt: 1,
  ...over,
});

const sqlRule = (over: Partial<SqlRuleDescription> = {}): SqlRuleDescription => ({
  name: 'hot',
  instanceId: 'iot-demo0001',
  sql: 'SELECT items.WaterTemp.value AS t FROM "/sys/h9DemoEnt02/+/thing/event/property/post" WHERE items.WaterTemp.value > 60',
  to: ['DEFAULT_GROUP'],
  onError: null,
  ...over,
});

const parser = (source: string, over: Partial<ParserDescription> = {}): ParserDescription => ({
  name: 'flatten',
  instanceId: 'iot-demo0001',
  topics: ['/sys/h9DemoEnt02/+/thing/event/property/post'],
  script: { file: 'flatten.js', source },
  destinations: [
    { id: 1_000, group: 'DEFAULT_GROUP' },
    { id: 1_001, group: 'others' },
    { id: 1_002, product: 'h9DemoEnt02' },
  ],
  onError: 'errors',
  ...over,
});

const logged: unknown[] = [];
const log: Log = { info: () => undefined, warn: (msg, fields) => void logged.push({ msg, ...fields }) };

const registry = new Registry();
const product = aProduct({ productKey: 'h9DemoEnt02' });
const device = aDevice({ product, deviceName: 'boiler-3' });
device.tags = { room: 'cellar' };
registry.add(device);
registry.addProduct({ ...product, productKey: 'h9Foreign', tenant: 'enterprise/iot-other' });
registry.addProduct({ ...product, productKey: 'h9Own', tenant: 'enterprise/iot-demo0001' });

const engine = (rules: readonly RuleDescription[], over: Partial<RuleEngineOptions> = {}): RuleEngine =>
  new RuleEngine(rules, {
    sandbox,
    registry,
    now: () => 1_543_373_798_943,
    seed: '1',
    log,
    publishToDevice: () => null,
    ...over,
  });

const bodies = (forwards: readonly Forward[]): string[] => forwards.map(({ body }) => Buffer.from(body).toString());
/** What a script writes to its destinations as text, and what the error destination is told. */
const runScript = (source: string, message = aMessage()): { wrote: string[]; failed: string | undefined } => {
  const forwards = engine([parser(source)]).forwards(message, message.tenant);
  const report = forwards.find(({ group }) => group === `${GROUP}errors`);
  const { failures: [failure] = [] } = JSON.parse(report ? Buffer.from(report.body).toString() : '{}') as {
    failures?: { errorMessage: string }[];
  };
  return { wrote: bodies(forwards.filter((each) => each !== report)), failed: failure?.errorMessage };
};

describe('an SQL rule', () => {
  it('forwards what its statement makes of a message, under the topic of the message', () => {
    const [forward, ...more] = engine([sqlRule()]).forwards(aMessage(), 'enterprise/iot-demo0001');
    expect(forward).toEqual({ group: `${GROUP}DEFAULT_GROUP`, rule: 'hot', topic: TOPIC, body: '{"t":61.5}' });
    expect(more).toEqual([]);
  });

  it.each([
    ['another topic', aMessage({ topic: '/h9DemoEnt02/boiler-3/thing/lifecycle' })],
    ['no topic', aMessage({ topic: null })],
    ['another product', aMessage({ topic: TOPIC.replace('h9DemoEnt02', 'h9Demo') })],
    ['another tenant', aMessage({ tenant: 'enterprise/iot-other' })],
    ['a condition that does not hold', aMessage({ text: '{"items":{"WaterTemp":{"value":59}}}' })],
    ['a body that is no JSON', aMessage({ text: '{' })],
  ])('forwards nothing for %s', (_name, message) => {
    expect(engine([sqlRule()]).forwards(message, message.tenant)).toEqual([]);
  });

  it('tells the message log why it failed', () => {
    const notes: string[] = [];
    const note = (...told: string[]): void => void notes.push(told.join(' '));
    const bad = sqlRule({ name: 'bad', sql: `SELECT abs('x') as x FROM "${TOPIC}"` });
    engine([sqlRule(), bad], { note }).forwards(aMessage(), null);
    expect(notes).toEqual(['100000000000000001 bad failed: abs() takes numbers, not "x"']);
  });

  it('looks at what is everybody’s too, and writes to several groups', () => {
    const forwards = engine([sqlRule({ to: ['DEFAULT_GROUP', 'others'] })]).forwards(aMessage({ tenant: null }), null);
    expect(forwards.map(({ group }) => group)).toEqual([`${GROUP}DEFAULT_GROUP`, `${GROUP}others`]);
  });

  it('knows the tags of the device', () => {
    const sql = `SELECT attribute('room') as room FROM "${TOPIC}"`;
    expect(bodies(engine([sqlRule({ sql })]).forwards(aMessage(), null))).toEqual(['{"room":"cellar"}']);
  });

  it('has the same chance for the same message and seed', () => {
    const sql = `SELECT rand() as r, newuuid() as u FROM "${TOPIC}"`;
    const once = bodies(engine([sqlRule({ sql })]).forwards(aMessage(), null));
    expect(bodies(engine([sqlRule({ sql })]).forwards(aMessage(), null))).toEqual(once);
    expect(bodies(engine([sqlRule({ sql })], { seed: '2' }).forwards(aMessage(), null))).not.toEqual(once);
  });

  it('tells the error destination what failed, for which message', () => {
    const sql = `SELECT abs('x') as x FROM "${TOPIC}"`;
    const [forward] = engine([sqlRule({ sql, onError: 'errors' })]).forwards(aMessage({ text: '{}' }), null);
    expect(forward).toMatchObject({ group: `${GROUP}errors`, rule: 'hot', topic: TOPIC });
    expect(JSON.parse(String(forward?.body))).toEqual({
      ruleName: 'hot',
      topic: TOPIC,
      productKey: 'h9DemoEnt02',
      deviceName: 'boiler-3',
      messageId: '100000000000000001',
      base64OriginalPayload: 'e30=',
      failures: [{ actionType: 'SQL', actionResource: 'hot', errorMessage: 'abs() takes numbers, not "x"' }],
    });
    expect(logged.at(-1)).toMatchObject({ msg: 'a rule failed', rule: 'hot', messageId: '100000000000000001' });
  });
});

describe('a parser', () => {
  it('writes to its destinations', () => {
    const source = `var data = payload("json");
      if (getOrNull(data, "items", "2Co", "value") > 5) writeAmqp(1000, { t: data.items.WaterTemp.value, big: data.big });
      writeAMQP(1001, "as text", "urgent");
      writeAmqp(1000, toBinary("ä"));
      writeAmqp(1000, [1, null]);`;
    const forwards = engine([parser(source)]).forwards(aMessage(), 'enterprise/iot-demo0001');
    expect(bodies(forwards)).toEqual(['{"t":61.5,"big":1234567890123456789}', 'as text', 'ä', '[1,null]']);
    expect(forwards[1]).toMatchObject({ group: `${GROUP}others`, topic: TOPIC, properties: { tag: 'urgent' } });
  });

  it.each([
    [
      'toBoolean(0), toBoolean(2), toBoolean("true"), toBoolean("yes"), toBoolean(null)',
      [false, true, true, false, false],
    ],
    ['toNumber(true), toNumber("1.5"), toNumber(null)', [1, 1.5, 0]],
    ['toString(null), toString(1.5), toString({a: 1}), toString(toBinary("ä"))', ['', '1.5', '{"a":1}', 'ä']],
    ['toMap(\'{"a":1}\'), toMap(null), toArray("[1]"), toArray(null)', [{ a: 1 }, {}, [1], []]],
    ['payload(), payload("utf-8").length, payload("binary").length', ['{"a":1}', 7, 7]],
    ['getOrNull(payload("json"), "a"), getOrNull(payload("json"), "b", "c"), getOrNull(null, "x")', [1, null, null]],
    ['format_date(1543373798943, "yyyy-MM-dd HH:mm:ss", "UTC"), format_date(0, "HH")', ['2018-11-28 02:56:38', '08']],
    ['to_timestamp("2018-11-28 02:56:38", "yyyy-MM-dd HH:mm:ss", "UTC")', [1_543_373_798_000]],
    [
      'topic(), topic(2), deviceName(), productKey(), messageId()',
      [TOPIC, 'boiler-3', 'boiler-3', 'h9DemoEnt02', '100000000000000001'],
    ],
    ['attribute("room"), concat("a", "b"), upper("a"), substring("012345", 1, 3)', ['cellar', 'ab', 'A', '12']],
    [
      'to_base64(), to_hex(toBinary("a")), crypto("abc", "MD5")',
      ['eyJhIjoxfQ==', '61', '900150983cd24fb0d6963f7d28e17f72'],
    ],
    ['timestamp(), timestamp_utc("yyyy"), Date.now(), mod(7, 4)', [1_543_373_798_943, '2018', 1_543_373_798_943, 3]],
  ])('%s', (calls, expected) => {
    const { wrote, failed } = runScript(`writeAmqp(1000, [${calls}])`, aMessage({ text: '{"a":1}' }));
    expect(failed).toBeUndefined();
    expect(JSON.parse(wrote[0] ?? '')).toEqual(expected);
  });

  it.each([
    ['throws', 'var a = 1;\nthrow new Error("no valve")', 'flatten.js:2: no valve'],
    [
      'reads a field that is not there',
      '\n\npayload("json").items.None.value',
      "flatten.js:3: TypeError: cannot read property 'value' of undefined",
    ],
    ['writes to an unknown destination', 'writeAmqp(7, {})', 'writeAmqp: the parser has no destination 7'],
    ['writes to a destination of another kind', 'writeAmqp(1002, {})', 'writeAmqp: destination 1002 is a topic'],
    ['writes too often', 'for (;;) writeAmqp(1000, {})', 'more than 100 writes in one run'],
    ['takes too long', 'for (;;);', 'took longer than 250 ms'],
    ['formats a time as nobody does', 'format_date(0, "bbb")', 'the letter b means nothing'],
  ])('that %s tells the error destination', (_name, source, message) => {
    expect(runScript(source).failed).toContain(message);
  });

  it('keeps what it wrote before it failed', () => {
    expect(runScript('writeAmqp(1000, 1); throw new Error("later")')).toEqual({
      wrote: ['1'],
      failed: 'flatten.js:1: later',
    });
    expect(runScript('for (;;) writeAmqp(1000, 1)').wrote).toHaveLength(100);
  });

  it('looks at what is no JSON', () => {
    const message = aMessage({ body: Buffer.from([1, 255]) });
    expect(runScript('writeAmqp(1000, payload("binary").length)', message).wrote).toEqual(['2']);
    expect(runScript('payload("json")', message).failed).toContain('the payload is no JSON');
  });

  it('hands nothing from one message to the next', () => {
    const rules = engine([parser('writeAmqp(1000, typeof left); left = 1; payload = null; var own = 1;')]);
    expect(bodies(rules.forwards(aMessage(), null))).toEqual(['undefined']);
    expect(bodies(rules.forwards(aMessage(), null))).toEqual(['undefined']);
  });

  it('rests after it took too long', () => {
    let worldNow = 0;
    const source = 'if (payload("json").stop) for (;;); writeAmqp(1000, 1)';
    const rules = engine([parser(source)], { worldNow: () => worldNow });
    expect(bodies(rules.forwards(aMessage({ text: '{"stop":1}' }), null))[0]).toContain('took longer than 250 ms');
    worldNow = 9_999;
    expect(bodies(rules.forwards(aMessage(), null))[0]).toContain('rests, since it took too long');
    worldNow = 10_000;
    expect(bodies(rules.forwards(aMessage(), null))).toEqual(['1']);
  });

  it('publishes on topics of a device', () => {
    const published: string[] = [];
    const rules = engine([parser('writeIotTopic(1002, "/h9DemoEnt02/" + deviceName() + "/user/get", { a: 1 })')], {
      publishToDevice: (topic, body) => (published.push(`${topic} ${Buffer.from(body).toString()}`), null),
    });
    expect(rules.forwards(aMessage(), null)).toEqual([]);
    expect(published).toEqual(['/h9DemoEnt02/boiler-3/user/get {"a":1}']);
    expect(runScript('writeIotTopic(1002, "/other/x/user/get", {})').failed).toContain('no topic of the destination');
  });

  it('may look at status and custom topics', () => {
    const rules = engine([
      parser('writeAmqp(1000, topic())', { topics: ['/as/mqtt/status/h9DemoEnt02/+', '/h9DemoEnt02/+/user/#'] }),
    ]);
    for (const topic of ['/as/mqtt/status/h9DemoEnt02/boiler-3', '/h9DemoEnt02/boiler-3/user/a/b'])
      expect(bodies(rules.forwards(aMessage({ topic }), null))).toEqual([topic]);
  });
});

describe('a rule that cannot be', () => {
  it.each<[string, RuleDescription, (string | number)[], string]>([
    ['a statement', sqlRule({ sql: 'SELECT a FROM "/x"\nWHERE ~' }), [0, 'sql'], 'line 2, column 7: Expected'],
    [
      'a topic of a statement',
      sqlRule({ sql: 'SELECT a FROM "x"' }),
      [0, 'sql'],
      'column 15: the topic "x" does not begin with /',
    ],
    ['a topic', parser('', { topics: ['/a', '/a/#/b'] }), [0, 'topics', 1], '# stands for'],
    ['a script', parser('\nvar = 1'), [0, 'script'], 'flatten.js:2: SyntaxError'],
    ['a long script', parser(' '.repeat(122_881)), [0, 'script'], 'flatten.js: has 122'],
    [
      'an id',
      parser('', {
        destinations: [
          { id: 1, group: 'a' },
          { id: 1, group: 'b' },
        ],
      }),
      [0, 'destinations', 1],
      'two destinations',
    ],
    [
      'a product of another tenant',
      parser('', {
        destinations: [
          { id: 1, product: 'h9Own' },
          { id: 2, product: 'h9Foreign' },
        ],
      }),
      [0, 'destinations', 1],
      'belongs to enterprise/iot-other',
    ],
    [
      'many destinations',
      parser('', { destinations: Array.from({ length: 11 }, (_, id) => ({ id, group: 'a' })) }),
      [0, 'destinations'],
      '10 destinations',
    ],
  ])('%s', (_name, rule, part, message) => {
    expect.assertions(3);
    try {
      engine([rule]);
    } catch (error) {
      expect(error).toBeInstanceOf(BadRule);
      expect((error as BadRule).part).toEqual(part);
      expect((error as BadRule).message).toContain(message);
    }
  });
});
