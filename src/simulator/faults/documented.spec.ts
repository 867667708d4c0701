import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { FaultRig } from '../../../test/simulator/fault-rig.js';

const page = readFileSync(new URL('../../../docs/simulator.md', import.meta.url), 'utf8');
const section = page.slice(page.indexOf('## Faults and scenarios'));

describe('what docs/simulator.md says of faults', () => {
  it('names every fault, its course and its parameters with their defaults', () => {
    const rows = new Map(
      section
        .split('\n')
        .filter((line) => line.startsWith('| `'))
        .map((line) => [/`([a-z-]+)`/.exec(line)?.[1] ?? '', line]),
    );
    for (const { name, course, parameters } of new FaultRig().engine.catalogue()) {
      const row = rows.get(name);
      expect(row).toMatch(new RegExp(`\\| ${course} +\\|`));
      for (const { name: parameter, default: fallback } of parameters) {
        const shown = Array.isArray(fallback)
          ? fallback.map((each) => `\`${String(each)}\``).join(', ')
          : String(fallback);
        expect(row).toContain(`\`${parameter}\` ${Array.isArray(fallback) ? 'all of ' : ''}${shown || 'empty'}`);
      }
    }
  });

  it('has an example of a scenario that can be played', () => {
    const yaml = /```yaml\n([^]*?)```/.exec(section)?.[1] ?? '';
    const rig = new FaultRig();
    rig.engine.runScenario(yaml, 'docs/simulator.md');
    const start = rig.now;
    for (let i = 0; i < 100; i++) {
      rig.engine.pass({ topic: '/t', body: String(i) });
      rig.pass(1_000);
    }
    expect(rig.engine.listScenarios()).toMatchObject([
      { name: 'a bad minute', running: false, done: 5, counts: { 'drop: dropped connections': 6, published: 1 } },
    ]);
    const note = rig.published.find(({ topic }) => topic?.endsWith('/user/note'));
    expect(JSON.parse(String(note?.body))).toMatchObject({ written: start + 30_000 - 300_000 });
  });
});
