// Breaks each rule behind promises 2 and 3 once, on a copy of the sources, and sees to it that the property-based test
// notices. A rule whose break goes unnoticed is a hole in the test: `node test/promises/mutants.mjs [name part]`.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const SQL = 'src/storage/write-statements.ts';
const FOLD = 'src/storage/write-plan.ts';
const WRITER = 'src/storage/device-event.writer.ts';
const DECODING = 'src/decoding';
const HISTORY = 'src/storage/history-statements.ts';
const AS_OF = 'src/storage/as-of-state.ts';

/** What is broken, where, and how: [rule, file, the text that keeps the rule, the text that breaks it]. */
const MUTANTS = [
  [
    'a seen key makes a duplicate',
    SQL,
    'ON CONFLICT DO NOTHING\n  RETURNING "day", "key"',
    'ON CONFLICT ("key", "day") DO UPDATE SET "key" = excluded."key"\n  RETURNING "day", "key"',
  ],
  ['twice in one batch is once', WRITER, '!fresh.delete(message.key)', '!fresh.has(message.key)'],
  [
    'messageId is part of the key',
    `${DECODING}/message-key.ts`,
    'raw.messageId ?? raw.generateTime',
    'raw.generateTime',
  ],
  ['the newer value wins (stored)', SQL, 'p."at" IS NULL OR n.at > p."at" OR', 'TRUE OR'],
  ['the newer value wins (in a batch)', FOLD, 'newer(at, series.newest.at) ||', 'true ||'],
  ['at equal times the greater number wins', SQL, 'THEN n.number > p."number"', 'THEN n.number < p."number"'],
  [
    'at equal times the greater text wins',
    SQL,
    'n.json::text COLLATE "C" > p."json"::text COLLATE "C"',
    'n.json::text COLLATE "C" < p."json"::text COLLATE "C"',
  ],
  ['at equal times numbers lose', SQL, 'ELSE n.number IS NULL END', 'ELSE n.number IS NOT NULL END'],
  [
    'at equal times the fixed order decides (in a batch)',
    FOLD,
    'compareValues(value, series.newest.value) > 0',
    'true',
  ],
  ['several values of a millisecond stay (stored)', SQL, 'WHERE EXISTS (', 'WHERE FALSE AND EXISTS ('],
  ['several values of a millisecond are each kept once', SQL, '      UNION\n', '      UNION ALL\n'],
  [
    'several values are sorted',
    SQL,
    `ORDER BY jsonb_typeof(a.v) <> 'number',`,
    `ORDER BY jsonb_typeof(a.v) = 'number',`,
  ],
  [
    'several values stay (in a batch)',
    FOLD,
    'values.splice(place, 0, value)',
    'if (place < 0) values.splice(place, 0, value)',
  ],
  [
    '99.0 is 99',
    `${DECODING}/canonical-number.ts`,
    'while (end > start && all.charCodeAt(end - 1) === 0x30) end--;',
    '',
  ],
  ['reports from before a create are history (stored)', SQL, 'p."at" < n.created', 'FALSE'],
  ['reports from before a create are history (late)', SQL, '(d."createdAt" IS NULL OR n.at >= d."createdAt")', 'TRUE'],
  [
    'reports from before a create are history (new series)',
    SQL,
    'd."createdAt" IS NULL OR i.at >= d."createdAt" AS state',
    'TRUE AS state',
  ],
  ['tags from before a create are history (stored)', SQL, 't."at" < n.created', 'FALSE'],
  ['tags from before a create are history (late)', SQL, 'WHERE d."createdAt" IS NULL OR i.at >= d."createdAt"\n', ''],
  [
    'presence from before a create is history',
    SQL,
    'o."presenceOrder" END < g.created, FALSE) AS stale',
    'o."presenceOrder" END < g.created, FALSE) AND FALSE AS stale',
  ],
  [
    'a gateway from before a create is history',
    SQL,
    'o."gatewayAt" END < g.created, FALSE) AS loose',
    'o."gatewayAt" END < g.created, FALSE) AND FALSE AS loose',
  ],
  ['the newest create counts', SQL, 'GREATEST(o."createdAt", n.created)', 'coalesce(n.created, o."createdAt")'],
  [
    'the newest presence wins (stored)',
    SQL,
    'n.presence_order IS NOT NULL AND (o."presenceOrder" IS NULL',
    'n.presence_order IS NOT NULL AND (TRUE',
  ],
  ['the newest presence wins (in a batch)', FOLD, 'comparePresence(told, device.presence) > 0', 'true'],
  [
    'presence: online beats offline',
    FOLD,
    'Number(a.online) - Number(b.online)',
    'Number(b.online) - Number(a.online)',
  ],
  [
    'presence: the last packet before the message',
    `${DECODING}/decoders/enterprise-status.decoder.ts`,
    'orderedBy: lastAt instanceof Date ? lastAt : at',
    'orderedBy: at',
  ],
  [
    'presence: behind a protocol gateway the last packet means nothing',
    `${DECODING}/decoders/enterprise-status.decoder.ts`,
    `(protocol ?? '') === ''`,
    'true',
  ],
  [
    'the newest iotId wins',
    SQL,
    'n.iot_id_at IS NOT NULL AND (o."iotIdAt" IS NULL',
    'n.iot_id_at IS NOT NULL AND (TRUE',
  ],
  [
    'the newest deviceType wins',
    SQL,
    'n.type_at IS NOT NULL AND (o."deviceTypeAt" IS NULL',
    'n.type_at IS NOT NULL AND (TRUE',
  ],
  ['the newest attribute wins (in a batch)', FOLD, 'return newer(told.at, known.at) ? told : known;', 'return told;'],
  [
    'equal times are decided (in a batch)',
    FOLD,
    'if (same(told.at, known.at)) return compareText(told.value, known.value) > 0 ? told : known;',
    'if (same(told.at, known.at)) return told;',
  ],
  [
    'the newest life cycle wins',
    SQL,
    'n.lifecycle_at IS NOT NULL AND (o."lifecycleAt" IS NULL',
    'n.lifecycle_at IS NOT NULL AND (TRUE',
  ],
  [
    'the newest gateway wins',
    SQL,
    'n.gateway_at IS NOT NULL AND (o."gatewayAt" IS NULL',
    'n.gateway_at IS NOT NULL AND (TRUE',
  ],
  [
    'at equal times attached beats detached',
    FOLD,
    'if (!a || !b) return Number(a !== null) - Number(b !== null);',
    'if (!a || !b) return Number(b !== null) - Number(a !== null);',
  ],
  [
    'the newest tag wins',
    SQL,
    'WHERE (excluded."at", excluded."value" COLLATE "C") > (t."at", t."value" COLLATE "C")',
    '',
  ],
  ['the newest tag wins (in a batch)', FOLD, 'const wins =\n', 'const wins = true ||\n'],
  ['firstSeen is the minimum', SQL, 'LEAST(o."firstSeen", n.first_seen)', 'coalesce(o."firstSeen", n.first_seen)'],
  ['lastSeen is the maximum', SQL, 'GREATEST(o."lastSeen", n.last_seen)', 'coalesce(n.last_seen, o."lastSeen")'],
  ['the same fact is one event', FOLD, "event.kind === 'custom-message-received' ? message.key : null", 'message.key'],
  ['the content of an event is its identity', FOLD, '      entry.value,\n', ''],
  [
    'an event keeps what either message told',
    SQL,
    'GREATEST(e."name" COLLATE "C", excluded."name")',
    'coalesce(e."name", excluded."name")',
  ],
  [
    'bindings are recomputed for late facts',
    SQL,
    'WHEN f."bound" THEN lead(f."at") OVER facts',
    'WHEN f."bound" THEN b."until"',
  ],
  [
    'at equal times an unbind loses',
    SQL,
    'ORDER BY f."at", f."bound", f."owned"',
    'ORDER BY f."at", f."bound" DESC, f."owned"',
  ],
  [
    'an unbind alone has an unknown beginning',
    SQL,
    'WHEN NOT coalesce(lag(f."bound") OVER facts, FALSE)',
    'WHEN FALSE AND NOT coalesce(lag(f."bound") OVER facts, FALSE)',
  ],
  ['owning and sharing are different facts', FOLD, 'user.tenantId, at, bound, owned]', 'user.tenantId, at, bound]'],
  [
    'history: a status that outranks later ones ends them',
    HISTORY,
    'h."at" > i.at AND h."orderedBy"',
    'FALSE AND h."orderedBy"',
  ],
  [
    'history: a status that is outranked does not count (in a batch)',
    'src/storage/history-plan.ts',
    'if (last && compareRanks(row, last) <= 0) continue;',
    '',
  ],
  ['history: a late status changes what the next one begins', HISTORY, 'AND h."begins" <> c.begins', 'AND FALSE'],
  ['history: an identity counts from its earliest message', HISTORY, 'WHERE excluded."at" < k."at"', 'WHERE FALSE'],
  [
    'history: presence from before a create is forgotten',
    AS_OF,
    'h."orderedBy" >= coalesce(c.created, h."orderedBy") AS counts',
    'TRUE AS counts',
  ],
  ['history: tags from before a create are forgotten', AS_OF, 't."at" >= coalesce(c.created, t."at")', 'TRUE'],
  ['history: readings from before a create are no state', AS_OF, 'Date.parse(one.at) >= Date.parse(created)', 'true'],
  [
    'history: a device is known from its earliest time on',
    SQL,
    'LEAST(o."knownSince", n.known)',
    'coalesce(o."knownSince", n.known)',
  ],
  [
    'history: the fleet takes back what it had counted',
    'src/storage/presence-counter.ts',
    'add(productKey, change, -1);',
    'add(productKey, change, 1);',
  ],
];

/** Which tests look at a rule, and how many of the rounds they take: a round of the past asks about every moment. */
const PROMISES = { files: ['test/promises/promises.spec.ts'], share: 1 };
const PAST = {
  files: ['src/storage/history-plan.spec.ts', 'test/promises/as-of.spec.ts', 'test/promises/presence.spec.ts'],
  share: 0.2,
};

const only = process.argv[2] ?? '';
const copy = mkdtempSync(path.join(tmpdir(), 'living-mirror-mutants-'));
let caught = 0;
const missed = [];
try {
  for (const part of ['src', 'test', 'prisma', 'scripts', 'package.json', 'jest.config.js', 'tsconfig.json']) {
    cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  for (const tests of [PROMISES, PAST]) {
    if (!runs('unbroken', tests, 3)) throw new Error('the test fails on the unbroken sources');
  }
  for (const [rule, file, from, to] of MUTANTS) {
    if (!rule.includes(only)) continue;
    const target = path.join(copy, file);
    const source = readFileSync(target, 'utf8');
    if (!source.includes(from)) throw new Error(`${file} no longer holds what "${rule}" would break: ${from}`);
    writeFileSync(target, source.replaceAll(from, to));
    // histories are random: a rule that few of them touch gets more of them before it counts as missed
    const tests = rule.startsWith('history:') ? PAST : PROMISES;
    const survived = runs(rule, tests, 40) && runs(rule, tests, 250);
    writeFileSync(target, source);
    if (survived) missed.push(rule);
    else caught++;
    console.log(`${survived ? 'MISSED' : 'caught'}  ${rule}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
for (const rule of missed) console.error(`Broken without the test noticing: ${rule}`);
console.log(`${caught} passed, ${missed.length} failed`);
process.exitCode = missed.length > 0 ? 1 : 0;

/** Whether the properties hold on the copy as it stands. */
function runs(what, { files, share }, rounds) {
  const { status, signal, stderr } = spawnSync(
    process.execPath,
    [path.join(copy, 'node_modules/jest/bin/jest.js'), ...files],
    {
      cwd: copy,
      env: {
        ...process.env,
        NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
        PROMISES_ROUNDS: String(Math.ceil(rounds * share)),
      },
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024, // a counterexample of many histories is long
    },
  );
  if (signal || (status !== 0 && !/Tests: +\d+ failed/.test(stderr)))
    throw new Error(`${what}: the test did not run\n${stderr.slice(-2000)}`);
  return status === 0;
}
