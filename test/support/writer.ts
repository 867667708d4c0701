import { randomBytes } from 'node:crypto';
import { ABOUT_NOTHING, type About, type DecodedMessage } from '../../src/domain/decoded-message.js';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import type { Refusal } from '../../src/domain/raw-message.js';
import { DeviceEventWriter, type WriterSettings } from '../../src/storage/device-event.writer.js';
import { Partitions } from '../../src/storage/partitions.js';
import { PrismaService, type DatabaseSettings } from '../../src/storage/prisma.service.js';
import { SetAsideWriter } from '../../src/storage/set-aside.writer.js';
import { freshDatabase } from './database.js';
import { aMessage, NOON } from './messages.js';

/** The storage side alone, on a database of its own. */
export interface TestStore {
  /** Connection URL of the database. */
  readonly url: string;
  readonly prisma: PrismaService;
  readonly partitions: Partitions;
  readonly writer: DeviceEventWriter;
  readonly setAside: SetAsideWriter;
  /** A second writer on the same database, as another replica would be. */
  writerWith(settings: Partial<WriterSettings>): DeviceEventWriter;
  close(): Promise<void>;
}

/** Opens a fresh, migrated database with the writers on it; `given` to reach it in another way. */
export async function openStore(
  given: (url: string) => Partial<DatabaseSettings> | Promise<Partial<DatabaseSettings>> = () => ({}),
): Promise<TestStore> {
  const database = await freshDatabase();
  const prisma = new PrismaService({ databaseUrl: database.url, ...(await given(database.url)) });
  const partitions = new Partitions(prisma);
  const writerWith = (settings: Partial<WriterSettings>): DeviceEventWriter =>
    new DeviceEventWriter(prisma, partitions, { replica: 'test', dedupeDays: 8, ...settings });
  return {
    url: database.url,
    prisma,
    partitions,
    writer: writerWith({}),
    setAside: new SetAsideWriter(prisma, partitions),
    writerWith,
    close: async () => {
      await prisma.$disconnect();
      await database.drop();
    },
  };
}

/** A message that was decoded to these events. Each call makes another message, sent at NOON unless told otherwise. */
export function decodedAs(events: readonly DeviceEvent[], given: Partial<DecodedMessage> = {}): DecodedMessage {
  const base = { key: randomBytes(16).toString('hex'), raw: aMessage({ body: '{}' }), sentAt: new Date(NOON) };
  return { ...base, ...given, events, refusal: null };
}

/** A message that was refused. */
export function refusedAs(
  refusal: Refusal,
  given: Partial<DecodedMessage> & { readonly about?: About } = {},
): DecodedMessage {
  const base = { key: randomBytes(16).toString('hex'), raw: aMessage({ body: 'poison' }), sentAt: new Date(NOON) };
  return { ...base, about: ABOUT_NOTHING, ...given, events: [], refusal };
}
