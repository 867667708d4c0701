// @ts-check
// Peer (a): the shape that people deploy today. One consumer whose handler does a Prisma upsert and a Prisma create for each
// value and then accepts the message. rhea's own credit window; the connection pool of Prisma's adapter as it comes.
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { consume } from './consume.mjs';
import { peerSettings, serveQuestions } from './peer-process.mjs';
import { Durations } from './percentiles.mjs';

const { client, url, port, signIn } = peerSettings();
const { PrismaClient } = createRequire(import.meta.url)(client);
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
const latency = new Durations();

/** @param {string} body */
async function store(body) {
  const { productKey, deviceName, iotId, items } = JSON.parse(body);
  for (const [identifier, item] of Object.entries(items)) {
    const { value, time } = /** @type {{ value: unknown, time: number }} */ (item);
    const at = new Date(time);
    await prisma.deviceProperty.upsert({
      where: { productKey_deviceName_identifier: { productKey, deviceName, identifier } },
      create: { productKey, deviceName, iotId, identifier, value, time: at },
      update: { iotId, value, time: at },
    });
    await prisma.reading.create({ data: { productKey, deviceName, iotId, identifier, value, time: at } });
  }
}

await prisma.$connect();
consume({
  port,
  signIn,
  credit: null,
  onMessage: (body, accept) => {
    const received = performance.now();
    void store(body).then(() => {
      latency.add(performance.now() - received);
      accept();
    });
  },
});

serveQuestions((question) => {
  if (question.do === 'reset') latency.clear();
  return { latency: latency.summary() };
});
