#!/usr/bin/env node
// @ts-check
// npm run bench:simulator: messages a second out of the simulator to one consumer, limits off, and what each message costs.
import './setup/check-node.mjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startPeerProcess } from './bench/peer-process.mjs';
import { root } from './checkout.mjs';
import { numberOf, readCommandLine } from './command-line.mjs';
import { runCommand } from './plain-error.mjs';
import { setUp } from './setup/set-up.mjs';

const USAGE = `npm run bench:simulator -- [options]

  --messages N  in each run (100,000)
  --runs N      of which the median is told (5)
  --json        print JSON instead of the table`;

/** Unanswered messages that the consumer takes at a time. */
const CREDIT = 1_000;

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** @param {{ user: number, system: number }} usage */
const seconds = ({ user, system }) => (user + system) / 1e6;

/**
 * @param {'frames' | 'rhea'} kind of the consumer
 * @param {'memory' | 'disk'} queues
 * @param {{ messages: number, runs: number }} options
 */
async function measure(kind, queues, { messages, runs }) {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'bench-simulator-'));
  const file = (/** @type {string} */ name) => path.join(root, 'scripts', 'bench-simulator', name);
  const source = startPeerProcess(file('source.mjs'), { dist: path.join(root, 'dist'), queues, dataDir });
  try {
    const where = await source.ask({ do: 'where' });
    const consumer = startPeerProcess(file('consumer.mjs'), { ...where, kind, credit: CREDIT });
    try {
      await source.ask({ do: 'clients', count: 1 });
      await source.ask({ do: 'flood', count: Math.min(messages, 20_000) }); // compiled by then
      const results = [];
      for (let run = 0; run < runs; run++) {
        const before = await consumer.ask({});
        const flood = await source.ask({ do: 'flood', count: messages });
        const after = await consumer.ask({});
        const micros = (/** @type {number} */ cpuSeconds) => (1e6 * cpuSeconds) / messages;
        results.push({
          perSecond: messages / flood.seconds,
          simulatorMicros: micros(flood.cpuSeconds),
          consumerMicros: micros(seconds(after.cpu) - seconds(before.cpu)),
        });
      }
      return {
        consumer: kind,
        queues,
        messagesPerSecond: Math.round(median(results.map(({ perSecond }) => perSecond))),
        slowestRun: Math.round(Math.min(...results.map(({ perSecond }) => perSecond))),
        fastestRun: Math.round(Math.max(...results.map(({ perSecond }) => perSecond))),
        simulatorCpuMicrosPerMessage: Number(median(results.map((each) => each.simulatorMicros)).toFixed(1)),
        consumerCpuMicrosPerMessage: Number(median(results.map((each) => each.consumerMicros)).toFixed(1)),
      };
    } finally {
      await consumer.stop();
    }
  } finally {
    await source.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

await runCommand(async () => {
  const values = readCommandLine(
    process.argv.slice(2),
    {
      messages: { type: 'string', default: '100000' },
      runs: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    'npm run bench:simulator',
  );
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const options = {
    messages: numberOf('--messages', values.messages, 1, 10_000_000),
    runs: numberOf('--runs', values.runs, 1, 1_000),
  };
  await setUp(root, { build: true });
  const results = [
    await measure('frames', 'memory', options),
    await measure('rhea', 'memory', options),
    await measure('frames', 'disk', options),
  ];
  if (values.json) {
    console.log(JSON.stringify({ node: process.version, credit: CREDIT, ...options, results }, null, 2));
    return 0;
  }
  console.log(`${options.messages} messages to one consumer of credit ${CREDIT}, median of ${options.runs} runs`);
  for (const each of results) {
    const { messagesPerSecond, slowestRun, fastestRun } = each;
    const consumer = each.consumer === 'frames' ? 'bare frames' : 'rhea';
    console.log(`
${consumer}, queues ${each.queues === 'disk' ? 'on disk' : 'in memory'}
  messages/s        ${messagesPerSecond} (${slowestRun} to ${fastestRun})
  processor, simulator ${each.simulatorCpuMicrosPerMessage} us a message; consumer ${each.consumerCpuMicrosPerMessage} us`);
  }
  return 0;
});
