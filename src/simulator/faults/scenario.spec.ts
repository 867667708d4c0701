import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { FaultRig } from '../../../test/simulator/fault-rig.js';
import { bundled } from '../bundled.js';
import { BadDescription } from '../description-file.js';
import { parseScenario, readScenario } from './scenario-file.js';

const text = (lines: readonly string[]): string => lines.join('\n');
const told = (rig: FaultRig): string[] => rig.engine.log(1_000).map(({ run, what }) => `${run} ${what}`);

/** Plays a scenario for so long, with a message every second. */
function play(rig: FaultRig, yaml: string, seconds: number): void {
  rig.engine.runScenario(yaml);
  for (let i = 0; i < seconds; i++) {
    rig.engine.pass({ topic: '/t', body: String(i) });
    rig.pass(1_000);
  }
}

describe('a scenario', () => {
  it('starts and ends faults at their times, and says what was done', () => {
    const rig = new FaultRig();
    const yaml = text([
      'name: a little rain',
      'steps:',
      '  - at: 10s',
      '    fault: duplicates',
      '    with: { share: 1, within: 0 }',
      '    for: 5s',
      '  - at: 12s',
      '    fault: drop',
      '    every: 10s',
      '    repeat: 3',
    ]);
    play(rig, yaml, 60);
    expect(rig.published).toHaveLength(60 + 5);
    expect(rig.deeds).toEqual(['drop', 'drop', 'drop']);
    expect(rig.engine.listScenarios()).toMatchObject([
      {
        id: 'scenario-1',
        name: 'a little rain',
        running: false,
        done: 4,
        runs: ['duplicates-1', 'drop-1', 'drop-2', 'drop-3'],
        counts: { 'duplicates: repeated': 5, 'drop: dropped connections': 6 },
      },
    ]);
    const [scenario] = rig.engine.listScenarios();
    expect(scenario!.endedAt! - scenario!.startedAt).toBe(32_000);
    expect(told(rig).filter((line) => !line.includes('repeated'))).toEqual([
      'scenario-1 scenario started',
      'duplicates-1 started',
      'drop-1 started',
      'drop-1 dropped connections',
      'drop-1 ended',
      'duplicates-1 ended',
      'drop-2 started',
      'drop-2 dropped connections',
      'drop-2 ended',
      'drop-3 started',
      'drop-3 dropped connections',
      'drop-3 ended',
      'scenario-1 scenario ended',
    ]);
  });

  it('ends what lasts when it ends', () => {
    const rig = new FaultRig();
    play(rig, 'ends: 20s\nsteps:\n  - fault: refused-logins\n  - { fault: flapping, at: 5s, with: { every: 4s } }', 60);
    expect(rig.deeds).toEqual(['refuse true', 'flap 5 ', 'flap 5 ', 'flap 5 ', 'flap 5 ', 'refuse false']);
    expect(rig.engine.list().every(({ running }) => !running)).toBe(true);
  });

  it('can be stopped, with all that it started', () => {
    const rig = new FaultRig();
    const { id } = rig.engine.runScenario('ends: 1h\nsteps:\n  - fault: slow-tls\n  - { at: 30m, fault: drop }');
    expect(rig.engine.stop(id)).toBe(true);
    rig.pass(3_600_000);
    expect(rig.deeds).toEqual(['slow-tls 10000', 'slow-tls 0']);
    expect(rig.engine.listScenarios()).toMatchObject([{ running: false, done: 1 }]);
    expect(told(rig).filter((line) => line === 'scenario-1 scenario ended')).toHaveLength(1);
  });

  it('seeds its faults by itself, so that it does the same again whatever ran before', () => {
    const yaml =
      'seed: s\nsteps:\n  - { fault: shuffle, for: 1m }\n  - { fault: poison, with: { share: 0.5 }, for: 1m }';
    const rig = new FaultRig();
    const [first, second] = [1, 2].map(() => rig.during(() => play(rig, yaml, 100)));
    const bare = (published: typeof first): unknown => published!.map(({ topic, body }) => ({ topic, body }));
    expect(bare(second)).toEqual(bare(first));
    const other = new FaultRig();
    play(other, yaml.replace('seed: s', 'seed: t'), 100);
    expect(bare(other.published)).not.toEqual(bare(first));
  });

  it('publishes messages and sends commands', () => {
    const rig = new FaultRig();
    const yaml = text([
      'steps:',
      '  - publish: { topic: /p/d/user/up, body: { temp: 21.5, at: "{{now-1h}}" }, messageId: "42" }',
      '    every: 1m',
      '    repeat: 2',
      '  - at: 5s',
      '    publish: { topic: /p/d/user/raw, bodyBase64: AAECAw== }',
      '  - at: 10s',
      '    command: { device: "h9DemoMete4:meter-001", service: property/set, params: { Relay: 1 } }',
      '  - at: 11s',
      '    command: { device: "h9DemoMete4:nobody", service: property/set }',
    ]);
    rig.engine.runScenario(yaml);
    const start = rig.now;
    for (let i = 0; i < 70; i++) rig.pass(1_000);
    expect(rig.published.map(({ topic, body }) => [topic, String(body)])).toEqual([
      ['/p/d/user/up', `{"temp":21.5,"at":${start - 3_600_000}}`],
      ['/p/d/user/raw', '\0\u0001\u0002\u0003'],
      ['/p/d/user/up', `{"temp":21.5,"at":${start - 3_540_000}}`],
    ]);
    expect(rig.published[0]).toMatchObject({ messageId: '42', origin: { from: 'fault', by: 'scenario-1' } });
    expect(rig.deeds).toEqual(['command h9DemoMete4:meter-001 property/set']);
    expect(rig.engine.listScenarios()[0]).toMatchObject({
      running: false,
      counts: { published: 3, commands: 1, 'failed steps': 1 },
    });
    expect(rig.engine.log()).toContainEqual(
      expect.objectContaining({ what: 'a step failed', details: { step: 4, reason: 'no device h9DemoMete4:nobody' } }),
    );
  });

  it.each([
    ['steps: 7', 1, /steps: /],
    ['steps: []', 1, /at least one step/],
    ['name: x', 1, /steps: /],
    ['steps:\n  - fault: drop\n\tat: 1s', 3, /./],
    ['steps:\n  - fault: drop\n    att: 1s', 3, /Unrecognized key: "att"/],
    ['steps:\n  - fault: drop\n    at: soon', 3, /steps\.0\.at: must be a number with a unit: .*"soon"/],
    ['steps:\n  - fault: drop\n    at: 10', 3, /steps\.0\.at: must be a number with a unit/],
    ['steps:\n  - at: 1s\n    fault: duplicats', 3, /did you mean "duplicates"\?/],
    ['steps:\n  - at: 1s\n  - fault: drop', 2, /one of "fault", "publish" and "command"/],
    ['steps:\n  - fault: drop\n    publish: { topic: /a, body: b }', 2, /one of "fault"/],
    ['steps:\n  - fault: late\n    for: 1m\n    with:\n      share: 0.5\n      most: 1 week', 6, /most: .*"1 week"/],
    [
      'steps:\n  - fault: late\n    for: 1m\n    with:\n      share: 0.5\n      mots: 1m',
      6,
      /Unrecognized key: "mots"/,
    ],
    ['steps:\n  - fault: late\n    for: 1m\n    with:\n      share: 3', 5, /share: /],
    ['steps:\n  - at: 1s\n    fault: late', 3, /lasts: say for how long/],
    ['steps:\n  - fault: drop\n    for: 1m', 3, /happens at once/],
    ['steps:\n  - publish:\n      topic: /a\n      body: "{{now-5 minutes}}"', 4, /\{\{now-5 minutes\}\} is no time/],
    ['steps:\n  - fault: drop\n    every: 1m', 3, /goes on for ever/],
    ['steps:\n  - fault: drop\n    repeat: 2', 3, /needs "every"/],
    ['ends: 1m\nsteps:\n  - fault: drop\n    at: 1m', 4, /not before the end/],
    ['steps:\n  - publish:\n      topic: /a', 3, /"body" or "bodyBase64"/],
    ['clock: moon\nsteps:\n  - fault: drop', 1, /simulated or world/],
  ])('that is wrong has one clear error with its line: %j', (yaml, line, message) => {
    const read = (): unknown => parseScenario('mine.yaml', yaml);
    expect(read).toThrow(BadDescription);
    expect(read).toThrow(message);
    expect(read).toThrow(new RegExp(`^mine\\.yaml:${line}: [^\n]+$`));
  });
});

describe('the scenarios that come with the simulator', () => {
  const names = readdirSync(bundled('scenarios')).map((file) => file.replace('.yaml', ''));

  it('are these', () => {
    expect(names.sort()).toEqual(['backlog', 'backlog-small', 'bad-day', 'maintenance', 'poison', 'storm']);
  });

  it.each(names.filter((name) => name !== 'backlog'))('%s can be played to its end', async (name) => {
    const rig = new FaultRig();
    // Their times are told as simulated ones here, since this clock is moved by hand.
    rig.engine.play({ ...readScenario(`builtin:${name}`), clock: 'simulated' });
    for (let i = 0; i < 3_000 && rig.engine.listScenarios()[0]!.running; i++) {
      rig.engine.pass({
        topic: '/h9DemoMete4/meter-1/thing/event/property/post',
        body: `{"items":{"A":{"value":1,"time":${rig.now}}}}`,
      });
      rig.pass(1_000);
      await new Promise(setImmediate);
    }
    const [scenario] = rig.engine.listScenarios();
    expect(scenario).toMatchObject({ running: false });
    expect(scenario!.counts).not.toHaveProperty('failed steps');
    expect(Object.keys(scenario!.counts)).not.toEqual([]);
  });

  it('backlog is one of a million', () => {
    expect(readScenario('builtin:backlog').steps[0]).toMatchObject({ fault: 'backlog', with: { messages: 1_000_000 } });
  });

  it('are named when one is not there', () => {
    expect(() => readScenario('builtin:flood')).toThrow(/flood.*cannot be read/);
  });
});
