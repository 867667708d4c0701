import { describe, expect, it } from '@jest/globals';
import { MAX_SCANNED, MessageLog, type LogQuery, type LogRecord } from './message-log.js';
import type { Origin, PlatformMessage } from './platform-message.js';

const GROUP = 'enterprise/i/DEFAULT_GROUP';

function aMessage(id: string, given: Partial<PlatformMessage> = {}): PlatformMessage {
  const common = { anonymous: false, bodyForm: 'data', generateTime: 1, qos: 1, properties: {}, tenant: null } as const;
  const topic = '/pk/dn/thing/event/property/post';
  return { ...common, id, topic, body: Buffer.from(`{"id":"${id}"}`), publishedAt: 1_000, ...given };
}

/** A log whose clock stands at `at`. */
function aLog(capacity = 100, maxBytes?: number): { log: MessageLog; at: { now: number } } {
  const at = { now: 1_000 };
  return { log: new MessageLog(capacity, () => at.now, maxBytes), at };
}

function publish(log: MessageLog, message: PlatformMessage, origin: Origin | null = null, groups = [GROUP]): void {
  log.published(message, origin, groups);
}

const idsOf = (records: readonly LogRecord[]): string[] =>
  records.map((one) => (one.kind === 'message' ? one.message.id : `refused ${one.refusal.who}`));
const found = (log: MessageLog, query: Partial<LogQuery>): string[] =>
  idsOf(log.search({ limit: 100, ...query }).records);

describe('the message log', () => {
  it('tells what became of a message in each group', () => {
    const { log, at } = aLog();
    const message = aMessage('a');
    publish(log, message, { from: 'fleet' }, [GROUP, 'living/1', 'living/2']);
    at.now = 1_010;
    log.sent(message, GROUP, 'worker-1');
    at.now = 1_020;
    log.answered(message, GROUP, 'released');
    at.now = 1_030;
    log.sent(message, GROUP, 'worker-2');
    at.now = 1_045;
    log.answered(message, GROUP, 'accepted');
    log.dropped(message, 'living/1', 'expired');
    expect(log.message('a')?.forwarded).toEqual([
      {
        group: GROUP,
        outcome: 'accepted',
        deliveries: 2,
        attempts: [
          { at: 1_010, client: 'worker-1', answer: 'released', answeredAt: 1_020 },
          { at: 1_030, client: 'worker-2', answer: 'accepted', answeredAt: 1_045 },
        ],
        droppedAt: null,
      },
      { group: 'living/1', outcome: 'expired', deliveries: 0, attempts: [], droppedAt: 1_045 },
      { group: 'living/2', outcome: 'queued', deliveries: 0, attempts: [], droppedAt: null },
    ]);
    expect(log.fate('a')).toEqual({ outcome: 'accepted', deliveries: 2, answers: ['released', 'accepted'] });
    expect(log.fate('a', 'living/2')).toEqual({ outcome: 'queued', deliveries: 0, answers: [] });
    expect([log.fate('b'), log.fate('a', 'living/3')]).toEqual([null, null]);
  });

  it('remembers no more records than it may, and forgets the oldest first', () => {
    const { log } = aLog(3);
    for (const id of ['a', 'b', 'c', 'd', 'e']) publish(log, aMessage(id));
    expect(found(log, {})).toEqual(['e', 'd', 'c']);
    expect([log.message('b'), log.fate('b'), log.record(2)]).toEqual([undefined, null, undefined]);
    expect(log.record(3)).toBe(log.message('c'));
    expect(log.size).toMatchObject({ kept: 3, total: 5 });
    log.sent(aMessage('a'), GROUP, 'late'); // of a forgotten message: no harm
  });

  it('stays the same size, and quick to look into, over a long run', () => {
    const { log } = aLog(100);
    for (let i = 0; i < 10_000; i++) publish(log, aMessage(String(i)));
    expect(found(log, { limit: 2 })).toEqual(['9999', '9998']);
    const bytes = Array.from({ length: 100 }, (_, i) => aMessage(String(9_900 + i)).body.length);
    expect(log.size).toMatchObject({ kept: 100, bytes: bytes.reduce((a, b) => a + b) });
    expect(log.record(9_901)).toBe(log.message('9900'));
    expect([log.record(9_900), log.record(10_001), log.record(-5)]).toEqual([undefined, undefined, undefined]);
  });

  it('keeps no more bytes of bodies than it may, but always the newest message', () => {
    const { log } = aLog(100, 1_000);
    const body = Buffer.alloc(400);
    const uplink = { topic: '/up', body: Buffer.alloc(100) };
    for (const id of ['a', 'b', 'c']) publish(log, aMessage(id, { body }), { from: 'mqtt', uplink });
    expect(found(log, {})).toEqual(['c', 'b']);
    expect(log.size.bytes).toBe(1_000);
    publish(log, aMessage('huge', { body: Buffer.alloc(5_000) }));
    expect(found(log, {})).toEqual(['huge']);
    publish(log, aMessage('small', { body: Buffer.alloc(1) }));
    expect([found(log, {}), log.size.bytes]).toEqual([['small'], 1]);
  });

  it('counts the bytes of refused uplinks and of repetitions too', () => {
    const { log } = aLog(100, 1_000);
    const body = Buffer.alloc(400);
    log.refused({ what: 'uplink', door: 'mqtt', who: 'pk:dn', reason: 'no JSON', topic: '/t', body });
    publish(log, aMessage('a', { body }));
    publish(log, aMessage('a', { body }));
    expect(found(log, {})).toEqual(['a']);
    expect(log.size.bytes).toBe(800);
  });

  it('remembers nothing when switched off', () => {
    const { log } = aLog(0);
    const message = aMessage('a');
    publish(log, message);
    log.sent(message, GROUP, 'c');
    log.answered(message, GROUP, 'accepted');
    log.noted('a', 'rule', 'x');
    log.refused({ what: 'sign-in', door: 'amqp', who: 'c', reason: 'wrong password' });
    expect(log.size).toMatchObject({ kept: 0, total: 0, bytes: 0 });
    expect([log.fate('a'), found(log, {})]).toEqual([null, []]);
  });

  it('counts every delivery of a message that nobody ever accepts, and lists the first and the last', () => {
    const { log, at } = aLog();
    const message = aMessage('a');
    publish(log, message);
    for (let i = 1; i <= 1_000; i++) {
      at.now = i;
      log.sent(message, GROUP, 'c');
      log.answered(message, GROUP, 'released');
    }
    const [forwarded] = log.message('a')?.forwarded ?? [];
    expect(forwarded?.deliveries).toBe(1_000);
    expect(forwarded?.attempts).toHaveLength(100);
    expect(forwarded?.attempts[0]?.at).toBe(1);
    expect(forwarded?.attempts.at(-1)?.at).toBe(1_000);
  });

  it('keeps what was published again under the same id', () => {
    const { log } = aLog();
    publish(log, aMessage('a'));
    publish(log, aMessage('a', { body: Buffer.from('other') }), null, [GROUP, 'living/1']);
    expect(log.size.kept).toBe(1);
    expect(log.message('a')?.again.map(({ message }) => String(message.body))).toEqual(['other']);
    expect(log.message('a')?.forwarded.map(({ group }) => group)).toEqual([GROUP, 'living/1']);
  });

  it('keeps the bytes of an uplink alone, not the buffer of the socket that they came in', () => {
    const { log } = aLog();
    const body = Buffer.alloc(65_536, 7).subarray(10, 20);
    publish(log, aMessage('a'), { from: 'mqtt', uplink: { topic: '/up', body } });
    log.refused({ what: 'uplink', door: 'mqtt', who: 'pk:dn', reason: 'no JSON', body });
    const kept = log.message('a')?.origin?.uplink?.body;
    const refused = log.record(2);
    for (const bytes of [kept, refused?.kind === 'refused' ? refused.refusal.body : undefined]) {
      expect([...(bytes ?? [])]).toEqual(Array.from({ length: 10 }, () => 7));
      expect(bytes?.buffer.byteLength).toBeLessThan(1_000);
    }
  });

  it('adds what processing has to say', () => {
    const { log, at } = aLog();
    publish(log, aMessage('a'));
    at.now = 5;
    log.noted('a', 'rule r1', 'threw: x is not defined');
    log.noted('unknown', 'rule r1', 'nothing');
    expect(log.message('a')?.notes).toEqual([{ at: 5, by: 'rule r1', text: 'threw: x is not defined' }]);
  });
});

describe('a search of the message log', () => {
  const uplink = { topic: '/sys/pk/esp32/thing/model/up_raw', body: Buffer.from([1, 2, 3]) };
  const { log, at } = aLog();
  publish(log, aMessage('a', { publishedAt: 100 }), { from: 'fleet' });
  publish(log, aMessage('b', { publishedAt: 200, topic: '/pk/esp32/thing/event/property/post' }), {
    from: 'mqtt',
    uplink,
  });
  publish(log, aMessage('c', { publishedAt: 300, topic: '/mqtt/status/pk/dn-2' }), { from: 'rule', by: 'r' }, [
    'living/1',
  ]);
  publish(log, aMessage('d', { publishedAt: 400, topic: null, body: Buffer.from('ünïcode') }), null, []);
  at.now = 500;
  log.refused({ what: 'sign-in', door: 'amqp', who: 'stranger', reason: 'wrong password' });
  log.refused({
    what: 'uplink',
    door: 'mqtt',
    who: 'pk:esp32',
    reason: 'no JSON',
    topic: '/sys/pk/esp32/x',
    body: uplink.body,
  });
  log.sent(aMessage('a'), GROUP, 'c');

  const refusals = ['refused pk:esp32', 'refused stranger'];
  it.each<[string, Partial<LogQuery>, string[]]>([
    ['everything, newest first', {}, [...refusals, 'd', 'c', 'b', 'a']],
    ['a device', { device: 'pk:esp32' }, ['refused pk:esp32', 'b']],
    ['a device by its name alone', { device: 'dn' }, ['a']],
    ['a device in a status topic', { device: 'pk:dn-2' }, ['c']],
    ['a device that is not there', { device: 'pk:d' }, []],
    ['a part of the forwarding topic', { topic: 'property' }, ['b', 'a']],
    ['a part of the device’s own topic', { topic: 'up_raw' }, ['b']],
    ['a keyword in a body', { keyword: 'ïc' }, ['d']],
    ['a keyword in an id that is part of the body', { keyword: '"id":"b"' }, ['b']],
    ['a keyword in a reason', { keyword: 'password' }, ['refused stranger']],
    ['a time range, half open', { from: 200, to: 400 }, ['c', 'b']],
    ['an origin', { origin: 'rule' }, ['c']],
    ['what was handed in without an origin', { origin: 'control' }, ['d']],
    ['a fate', { fate: 'unsettled' }, ['a']],
    ['what no group was to have', { fate: 'unrouted' }, ['d']],
    ['what was refused', { fate: 'refused' }, refusals],
    ['a group', { group: 'living/1' }, ['c']],
    ['a fate in a group', { group: GROUP, fate: 'queued' }, ['b']],
    ['two conditions at once', { topic: 'property', from: 150 }, ['b']],
  ])('finds %s', (_, query, ids) => {
    expect(found(log, query)).toEqual(ids);
  });

  it('goes through pages without missing or repeating a record, while others arrive', () => {
    const { log: long } = aLog(1_000);
    for (let i = 0; i < 100; i++) publish(long, aMessage(String(i)));
    const seen: string[] = [];
    let before: number | undefined;
    do {
      const page = long.search({ limit: 7, before });
      seen.push(...idsOf(page.records));
      before = page.next ?? undefined;
      publish(long, aMessage(`later-${seen.length}`));
    } while (before !== undefined);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => String(99 - i)));
  });

  it('says that there is no next page where the last record was the last of all', () => {
    const { log: short } = aLog();
    for (const id of ['a', 'b']) publish(short, aMessage(id));
    expect(short.search({ limit: 2 }).next).toBeNull();
    expect(short.search({ limit: 1 }).next).toBe(2);
    expect(short.search({ limit: 1, before: 2 })).toMatchObject({ next: null, records: [{ seq: 1 }] });
    expect(short.search({ limit: 5, before: 1 })).toEqual({ records: [], next: null });
    expect(short.search({ limit: 5, before: 99 }).records).toHaveLength(2);
  });

  it('looks at so many records at a time, and says where to go on', () => {
    const { log: huge } = aLog(MAX_SCANNED + 10);
    publish(huge, aMessage('needle', { topic: '/pk/needle/user/x' }));
    for (let i = 0; i < MAX_SCANNED; i++) publish(huge, aMessage(String(i)));
    const first = huge.search({ limit: 5, device: 'needle' });
    expect(first.records).toEqual([]);
    expect(first.next).not.toBeNull();
    expect(idsOf(huge.search({ limit: 5, device: 'needle', before: first.next ?? 0 }).records)).toEqual(['needle']);
  });
});
