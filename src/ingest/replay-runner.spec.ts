import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { aMessage } from '../../test/support/messages.js';
import { until } from '../../test/support/until.js';
import { decodedAs } from '../../test/support/writer.js';
import type { DecodedMessage } from '../domain/decoded-message.js';
import { MessageCondemned, SinkUnavailable } from '../domain/event-sink.js';
import { type DecodeAgain, ReplayJobs, type ReplayStep } from '../domain/replay-jobs.js';
import { EVERY_SET_ASIDE } from '../domain/set-aside-filter.js';
import { Metrics } from '../telemetry/metrics.js';
import { ReplayRunner } from './replay-runner.js';

/** One replay of messages named by letters, in memory: all of a step or nothing. */
class MemoryJobs extends ReplayJobs {
  readonly done: string[] = [];
  readonly steps: number[] = [];
  cancelled: string[] = [];

  constructor(
    private waiting: string[],
    private readonly fails: (messages: readonly DecodedMessage[]) => Error | undefined = () => undefined,
  ) {
    super();
  }

  async add(): Promise<string> {
    return Promise.resolve('job');
  }

  async cancel(id: string): Promise<boolean> {
    this.cancelled.push(id);
    return Promise.resolve(true);
  }

  async advance(decode: DecodeAgain, limit: number): Promise<ReplayStep> {
    const taken = this.waiting.slice(0, limit);
    if (taken.length === 0) return { state: 'idle' };
    const messages = await Promise.all(taken.map((id) => decode(id, aMessage({ body: id }))));
    const written = messages.filter((message) => message !== null);
    const error = this.fails(written);
    if (error) throw error;
    this.steps.push(taken.length);
    this.waiting = this.waiting.slice(taken.length);
    this.done.push(
      ...messages.map(
        (message, index) => `${taken[index]} ${message?.refusal?.reason ?? (message ? 'stored' : 'failed')}`,
      ),
    );
    const stored = written.filter(({ refusal }) => refusal === null).length;
    const counts = {
      stored,
      duplicate: 0,
      stillRefused: written.length - stored,
      failed: taken.length - written.length,
    };
    return { state: 'stepped', id: 'job', counts, finished: this.waiting.length === 0 };
  }
}

describe('the runner of replays', () => {
  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  let runner: ReplayRunner | null = null;
  afterEach(() => runner?.onModuleDestroy());

  const run = async (jobs: MemoryJobs, breaks = ''): Promise<Metrics> => {
    const metrics = new Metrics();
    const decode = async (id: string): Promise<DecodedMessage> => {
      if (id === breaks) throw new Error('a fault of ours');
      return Promise.resolve(decodedAs([], { key: id }));
    };
    runner = new ReplayRunner(jobs, { bodyIdentity: 'topic', stepMessages: 4, lookEveryMs: 1, decode }, metrics);
    await runner.start(EVERY_SET_ASIDE);
    return metrics;
  };
  const holds = (id: string) => (messages: readonly DecodedMessage[]) =>
    messages.some(({ key }) => key === id) ? new MessageCondemned('no') : undefined;

  it('goes on step by step until nothing is left', async () => {
    const jobs = new MemoryJobs([...'abcdefghij']);
    const metrics = await run(jobs);
    await until(() => expect(jobs.done).toHaveLength(10));
    expect(jobs.steps).toEqual([4, 4, 2]);
    expect(await metrics.registry.getSingleMetricAsString('living_mirror_set_aside_replayed_total')).toContain(
      '{outcome="stored"} 10',
    );
  });

  it('finds the one message that the store condemns, keeps it aside, and spares its neighbours', async () => {
    const jobs = new MemoryJobs([...'abcdef'], (messages) =>
      messages.some(({ key, refusal }) => key === 'c' && refusal === null) ? new MessageCondemned('no') : undefined,
    );
    await run(jobs);
    await until(() => expect(jobs.done).toHaveLength(6));
    expect(jobs.done).toEqual(['a stored', 'b stored', 'c not-storable', 'd stored', 'e stored', 'f stored']);
  });

  it('leaves a message as it is that the store condemns in any form', async () => {
    const jobs = new MemoryJobs([...'ab'], holds('b'));
    await run(jobs);
    await until(() => expect(jobs.done).toEqual(['a stored', 'b failed']));
  });

  it('leaves a message as it is that breaks our decoder, and goes on', async () => {
    const jobs = new MemoryJobs([...'abc']);
    await run(jobs, 'b');
    await until(() => expect(jobs.done).toEqual(['a stored', 'b failed', 'c stored']));
  });

  it('waits while the store is away, and does nothing twice', async () => {
    let away = 2;
    const jobs = new MemoryJobs([...'ab'], () => (away-- > 0 ? new SinkUnavailable('away') : undefined));
    await run(jobs);
    await until(() => expect(jobs.done).toEqual(['a stored', 'b stored']));
  });

  it('looks by itself for what another replica left', async () => {
    const jobs = new MemoryJobs(['a']);
    runner = new ReplayRunner(jobs, {
      bodyIdentity: 'topic',
      lookEveryMs: 1,
      decode: async (id) => Promise.resolve(decodedAs([], { key: id })),
    });
    runner.onApplicationBootstrap();
    await until(() => expect(jobs.done).toEqual(['a stored']));
  });

  it('does nothing more once it is stopped', async () => {
    const jobs = new MemoryJobs([...'abcdefgh']);
    runner = new ReplayRunner(jobs, {
      bodyIdentity: 'topic',
      stepMessages: 1,
      decode: async (id) => Promise.resolve(decodedAs([], { key: id })),
    });
    await runner.start(EVERY_SET_ASIDE);
    await runner.onModuleDestroy();
    const { length } = jobs.done;
    expect(length).toBeLessThan(8);
    runner.onApplicationBootstrap();
    expect(jobs.done).toHaveLength(length);
  });
});
