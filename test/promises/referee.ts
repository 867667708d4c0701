import { instant, type Fact, type Item } from './facts.js';

/** What the tables must say after some facts, worked out without any of the product's code, and in the plainest way. */
export interface Verdict {
  readonly devices: readonly unknown[];
  readonly tags: readonly string[];
  readonly properties: readonly string[];
  readonly readings: readonly string[];
  /** Device, time, kind, identifier and name of each event, in order. */
  readonly events: readonly string[];
  readonly bindings: readonly unknown[];
  readonly setAside: number;
}

type Of<K extends Fact['kind']> = Extract<Fact, { kind: K }>;

const iso = (index: number): string => new Date(instant(index)).toISOString().replace('.000Z', '+00:00');
const sql = (index: number): string =>
  iso(index).replace('T', ' ').replace(':00+00:00', ':00+00').replace('+00:00', '+00');

/** `messages` is how many messages carried each fact (a fact told twice counts once in the tables). */
export function verdict(facts: readonly Fact[], messages: readonly Fact[]): Verdict {
  const of = <K extends Fact['kind']>(kind: K): Of<K>[] => facts.filter((fact): fact is Of<K> => fact.kind === kind);
  const reports = of('report');
  const readings: (Item & { device: string })[] = [...reports, ...of('batch')].flatMap(({ device, items }) =>
    items.map((item) => ({ ...item, device })),
  );
  const names = new Set(
    facts.filter(({ kind }) => kind !== 'poison').flatMap((fact) => ('device' in fact ? [fact.device] : [])),
  );
  for (const { gateway } of of('topology')) names.add(gateway);

  const devices = [...names].sort().map((device) => {
    const created =
      newest(
        of('lifecycle')
          .filter((fact) => fact.device === device && fact.action === 'create')
          .map(({ time }) => [time]),
      )?.[0] ?? null;
    const since = <T extends readonly [number, ...unknown[]]>(row: T | null): T | null =>
      row && created !== null && row[0] < created ? null : row;
    const lifecycle = newest(
      of('lifecycle')
        .filter((fact) => fact.device === device)
        .map(({ time, action }): [number, string] => [time, action]),
    );
    const iotId = newest([
      ...reports
        .filter((fact) => fact.device === device && fact.iotId)
        .map(({ sent, iotId: id }): [number, string] => [sent, id]),
      ...of('lifecycle')
        .filter((fact) => fact.device === device && fact.iotId)
        .map(({ time, iotId: id }): [number, string] => [time, id]),
    ]);
    const deviceType = newest(
      reports
        .filter((fact) => fact.device === device)
        .map(({ sent, deviceType: type }): [number, string] => [sent, type]),
    );
    const statuses = [
      ...of('status')
        .filter((fact) => fact.device === device)
        .map(({ lastPacket, gatewayed, time, online, reason }): [number, number, boolean, number] => [
          gatewayed || lastPacket === null ? time : lastPacket,
          time,
          online,
          online || reason === null ? -1 : reason,
        ]),
      ...of('living-status')
        .filter((fact) => fact.device === device)
        .map(({ time, online }): [number, number, boolean, number] => [time, time, online, -1]),
    ];
    const presence = since(newest(statuses));
    const gateway = since(
      newest(
        of('topology')
          .filter((fact) => fact.device === device)
          .map(({ time, action, gateway: gw }): [number, boolean, string] => [
            time,
            action === 'create',
            action === 'create' ? gw : '',
          ]),
      ),
    );
    const heard = [
      ...readings.filter((reading) => reading.device === device).map(({ time }) => time),
      ...statuses.map(([order]) => order),
      ...[...of('event'), ...of('check-failed')].filter((fact) => fact.device === device).map(({ time }) => time),
    ];
    const mentioned = facts.flatMap((fact) => {
      if (fact.kind === 'poison' || fact.kind === 'batch') return [];
      if (fact.device !== device && !(fact.kind === 'topology' && fact.gateway === device)) return [];
      return [fact.kind === 'report' ? fact.sent : fact.time];
    });
    const known = [...heard, ...mentioned];
    return {
      deviceName: device,
      iotId: iotId?.[1] ?? null,
      iotIdAt: iotId ? iso(iotId[0]) : null,
      deviceType: deviceType?.[1] ?? null,
      deviceTypeAt: deviceType ? iso(deviceType[0]) : null,
      online: presence?.[2] ?? null,
      since: presence ? iso(presence[1]) : null,
      presenceOrder: presence ? iso(presence[0]) : null,
      offlineReason: presence && presence[3] >= 0 ? presence[3] : null,
      lifecycle: lifecycle?.[1] ?? null,
      lifecycleAt: lifecycle ? iso(lifecycle[0]) : null,
      createdAt: created === null ? null : iso(created),
      gatewayProductKey: gateway?.[1] ? '{pk}' : null,
      gatewayDeviceName: gateway?.[1] ? gateway[2] : null,
      gatewayAt: gateway ? iso(gateway[0]) : null,
      firstSeen: heard.length > 0 ? iso(Math.min(...heard)) : null,
      lastSeen: heard.length > 0 ? iso(Math.max(...heard)) : null,
      knownSince: known.length > 0 ? iso(Math.min(...known)) : null,
    };
  });
  const createdAt = (device: string): number =>
    Math.max(
      -1,
      ...of('lifecycle')
        .filter((fact) => fact.device === device && fact.action === 'create')
        .map(({ time }) => time),
    );

  const tags = [...groups(of('tags'), ({ device, key }) => `${device} ${key}`)].flatMap(([id, told]) => {
    const winner = newest(told.map(({ time, value }): [number, string] => [time, value]));
    const device = told[0]?.device ?? '';
    return winner && winner[0] >= createdAt(device) ? [`${id} ${winner[1]} ${sql(winner[0])}`] : [];
  });
  const properties = [...groups(readings, ({ device, identifier }) => `${device} ${identifier}`)].map(([id, told]) => {
    const winner = newest(told.map(({ time, value }): [number, number, string] => [time, value.rank, value.shown]));
    return winner && winner[0] >= createdAt(told[0]?.device ?? '') ? `${id} ${sql(winner[0])} ${winner[2]}` : id;
  });
  const history = [...groups(readings, ({ device, identifier, time }) => `${device} ${identifier} ${sql(time)}`)].map(
    ([id, told]) => {
      const values = [...new Map(told.map(({ value }) => [value.rank, value.shown]))]
        .sort(([a], [b]) => a - b)
        .map(([, shown]) => shown);
      return values.length === 1 ? `${id} ${values[0] ?? ''}` : `${id} [${values.join(', ')}]`;
    },
  );

  return {
    devices,
    tags: tags.sort(),
    properties: properties.sort(),
    readings: history.sort(),
    events: events(facts).sort(),
    bindings: bindings(of('binding')),
    setAside: messages.filter(({ kind }) => kind === 'poison').length,
  };
}

interface Told {
  readonly kind: string;
  readonly device: string;
  readonly time: number;
  readonly identifier?: string;
  /** What makes it another event than its neighbours, beside the above. */
  readonly content: string;
  readonly name?: string | null;
}

function events(facts: readonly Fact[]): string[] {
  const told = facts.flatMap((fact): Told[] => {
    switch (fact.kind) {
      case 'report':
      case 'batch':
      case 'poison':
        return [];
      case 'status': {
        const { device, time, online, reason, lastPacket, gatewayed } = fact;
        const content = JSON.stringify([online, online ? null : reason, lastPacket, gatewayed]);
        return [{ kind: 'presence-changed', device, time, content }];
      }
      case 'living-status':
        // the same words as a status of the other flavour that tells no more than this
        return [{ ...fact, kind: 'presence-changed', content: JSON.stringify([fact.online, null, null, false]) }];
      case 'binding': {
        const { device, time, bound, identityId, owned } = fact;
        const kind = bound ? 'user-bound' : 'user-unbound';
        return [{ kind, device, time, identifier: identityId, content: String(owned) }];
      }
      case 'lifecycle':
        return [{ ...fact, kind: 'lifecycle-changed', content: fact.action }];
      case 'tags':
        return [{ ...fact, kind: 'tags-changed', content: `${fact.key} ${fact.value}` }];
      case 'topology': {
        const { gateway, device, action, time } = fact;
        return [
          { kind: 'topology-changed', device: gateway, time, content: `${device} ${action}` },
          { kind: 'gateway-changed', device, time, content: `${gateway} ${action}` },
        ];
      }
      case 'event':
        return [{ ...fact, kind: 'event-raised', content: fact.value.replace('1.0', '1') }];
      case 'check-failed':
        return [{ ...fact, kind: 'value-rejected', content: '' }];
      default:
        return fact satisfies never;
    }
  });
  const same = ({ kind, device, time, identifier, content }: Told): string =>
    JSON.stringify([kind, device, time, identifier, content]);
  return [...groups(told, same).values()].map((tellings) => {
    const { device = '', time = 0, kind = '', identifier = '-' } = tellings[0] ?? {};
    const name =
      tellings
        .map((telling) => telling.name ?? '-')
        .sort()
        .at(-1) ?? '-';
    return `${device} ${sql(time)} ${kind} ${identifier} ${name}`;
  });
}

function bindings(facts: readonly Of<'binding'>[]): unknown[] {
  const rows = [...groups(facts, ({ device, identityId }) => `${device} ${identityId}`).values()].flatMap((told) => {
    const distinct = new Map(told.map((fact) => [`${fact.time} ${Number(fact.bound)} ${Number(fact.owned)}`, fact]));
    const ordered = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact);
    return ordered.map(({ identityId, time, bound, owned }, index) => {
      const before = ordered[index - 1];
      const after = ordered[index + 1];
      const unknownStart = !bound && (!before || (!before.bound && before.time < time));
      return {
        identityId,
        scopeId: '',
        tenantId: 't',
        at: iso(time),
        bound,
        owned,
        from: bound ? iso(time) : null,
        until: bound ? (after ? iso(after.time) : null) : unknownStart ? iso(time) : null,
      };
    });
  });
  return rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** The greatest row, compared place by place. */
function newest<T extends readonly (number | string | boolean)[]>(rows: readonly T[]): T | null {
  let best: T | null = null;
  for (const row of rows) if (!best || compareRows(row, best) > 0) best = row;
  return best;
}

function compareRows(a: readonly (number | string | boolean)[], b: readonly (number | string | boolean)[]): number {
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i] ?? 0, b[i] ?? 0];
    if (left !== right) return left > right ? 1 : -1;
  }
  return 0;
}

function groups<T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const row of rows) found.set(key(row), [...(found.get(key(row)) ?? []), row]);
  return found;
}
