import { Injectable } from '@nestjs/common';
import type { FilterExpression } from '../domain/filter-expression.js';
import { deviceColumns, type DeviceFields, deviceOf, type DeviceRow } from './device-fields.js';
import { DeviceOrder, type DevicePlace, type DeviceSort, type PlaceRow, placeOf } from './device-order.js';
import { type Probe, probeOf } from './device-probes.js';
import type { DeviceView } from './device-view.js';
import { findByName, nameHolds } from './device-name-search.js';
import { filterSql } from './filter-sql.js';
import { type Page, pageOf, type PageRequest, Parameters } from './read-columns.js';
import { type Query, Snapshots } from './snapshots.js';

/** Which devices are meant: those of which all of this is true. */
export interface DeviceQuestion {
  readonly filters: readonly FilterExpression[];
  /** Part of the device's name or of its iotId, whatever the case. */
  readonly q?: string;
}

/** How many there are; an estimate where that would take long. */
export interface DeviceCount {
  readonly value: number;
  readonly exact: boolean;
}

/** A page looks at no more devices than this. A rare combination may so leave a page short, or empty, with a `next` all the same. */
const LOOKED_AT = 2_000;

/** How many entries of indexes are looked at before the list is walked, all of them together, and of each after a walk that found little. */
const FEW_ENTRIES = 2_000;
const MANY_ENTRIES = 6_000;

/** How many indexes are asked: cheaply, and not so cheaply. */
const MOST_PROBES = 8;
const MOST_LARGE_PROBES = 2;

/** As many devices as are fetched and sorted for one page. */
const MOST_CANDIDATES = 4_000;

/** An estimate looks at about so many devices. */
const SAMPLED = 4_000;

/**
 * A page is found by indexes in their order, whatever the planner thinks of their number: statistics may be old, and a table
 * that is small today is scanned tomorrow when it is not.
 */
const NO_SCANS = `SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`;

/** Finds devices by what they are now (docs/decisions/0014-finding-devices.md). */
@Injectable()
export class DeviceListReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * A page of devices. Those that an index singles out are fetched and sorted; where none does, the devices are walked in the
   * order asked for.
   */
  async list(
    question: DeviceQuestion,
    sort: DeviceSort,
    fields: DeviceFields,
    page: PageRequest<DevicePlace>,
  ): Promise<Page<Partial<DeviceView>, DevicePlace>> {
    return this.snapshots.read(async (query) => {
      await query(NO_SCANS);
      const probes = probesOf(question);
      const list = new DeviceList(query, question, new DeviceOrder(sort), fields, page);
      const few = await candidates(query, probes.slice(0, MOST_PROBES), (asked) => Math.floor(FEW_ENTRIES / asked));
      if (few) return list.among(few);
      const walked = await list.walk(sort);
      if (!walked.short) return walked.page;
      const many = await largeCandidates(query, question);
      return many && many.length <= MOST_CANDIDATES ? list.among(many) : walked.page;
    });
  }

  /**
   * How many devices there are of a question.
   * @throws QuestionTooLarge when an exact count takes too long.
   */
  async count(question: DeviceQuestion, how: 'exact' | 'estimated'): Promise<DeviceCount> {
    return this.snapshots.read(async (query) => {
      const ids = await largeCandidates(query, question);
      if (ids) return { value: await countAmong(query, question, ids), exact: true };
      return (how === 'estimated' ? await estimate(query, question) : null) ?? (await countAll(query, question));
    });
  }
}

/** One page of a list. */
class DeviceList {
  constructor(
    private readonly query: Query,
    private readonly question: DeviceQuestion,
    private readonly order: DeviceOrder,
    private readonly fields: DeviceFields,
    private readonly page: PageRequest<DevicePlace>,
  ) {}

  /** The page among devices outside of which there are none. */
  async among(ids: readonly number[]): Promise<Page<Partial<DeviceView>, DevicePlace>> {
    const { order, page } = this;
    if (ids.length === 0) return { items: [], next: null };
    const parameters = new Parameters();
    const behind = page.after ? ` AND ${order.behind(page.after, parameters)}` : '';
    const rows = await this.rows(
      `SELECT d.* FROM ${devicesOf(ids, parameters)} WHERE ${conditionsOf(this.question, parameters)}${behind}
       ORDER BY ${order.whole} LIMIT ${parameters.add(page.limit + 1, 'int')}`,
      order.whole,
      parameters,
    );
    return this.pageOf(rows);
  }

  /** The page by going through the devices in their order, as far as one page may. `short`: there may be more than it found. */
  async walk(sort: DeviceSort): Promise<{ page: Page<Partial<DeviceView>, DevicePlace>; short: boolean }> {
    const { order, page } = this;
    const rows: (DeviceRow & PlaceRow)[] = [];
    for (const stage of order.from(page.after)) {
      const within = (parameters: Parameters): string => {
        const conditions = [...order.walked(stage, page.after, parameters), ...this.ofProduct(sort, parameters)];
        return `SELECT * FROM "Device" d WHERE ${conditions.join(' AND ') || 'TRUE'} ORDER BY ${order.walk}`;
      };
      const parameters = new Parameters();
      const found = await this.rows(
        `SELECT d.* FROM (${within(parameters)} LIMIT ${LOOKED_AT}) d WHERE ${conditionsOf(this.question, parameters)}
         ORDER BY ${order.walk} LIMIT ${parameters.add(page.limit + 1 - rows.length, 'int')}`,
        order.walk,
        parameters,
      );
      rows.push(...found);
      if (rows.length > page.limit) break;
      const end = await this.endOf(within);
      if (end) return { page: { ...this.pageOf(rows), next: end }, short: true };
    }
    return { page: this.pageOf(rows), short: false };
  }

  /** The last device that a walk looked at, or null when it looked at all. */
  private async endOf(within: (parameters: Parameters) => string): Promise<DevicePlace | null> {
    const parameters = new Parameters();
    const [row] = await this.query<PlaceRow>(
      `SELECT ${this.order.columns} FROM (${within(parameters)} OFFSET ${LOOKED_AT - 1} LIMIT 1) d`,
      ...parameters.values,
    );
    return row ? placeOf(row) : null;
  }

  /** A list by product walks no others. */
  private ofProduct(sort: DeviceSort, parameters: Parameters): string[] {
    if (sort.field !== 'productKey') return [];
    return this.question.filters.flatMap((filter) =>
      filter.kind === 'compare' &&
      filter.operator === 'eq' &&
      filter.field.kind === 'attribute' &&
      filter.field.name === 'productKey' &&
      filter.value.type === 'text'
        ? [`d."productKey" = ${parameters.add(filter.value.text, 'text')}`]
        : [],
    );
  }

  private async rows(found: string, sorted: string, parameters: Parameters): Promise<(DeviceRow & PlaceRow)[]> {
    const columns = [this.order.columns, deviceColumns(this.fields, parameters)].filter((each) => each !== '');
    return this.query(`SELECT ${columns.join(', ')} FROM (${found}) d ORDER BY ${sorted}`, ...parameters.values);
  }

  private pageOf(rows: readonly (DeviceRow & PlaceRow)[]): Page<Partial<DeviceView>, DevicePlace> {
    return pageOf(rows, this.page.limit, (row) => deviceOf(row, this.fields), placeOf);
  }
}

/** How indexes can be asked for the devices of each condition that must hold. */
function probesOf({ filters }: DeviceQuestion): readonly Probe[] {
  return conjuncts(filters)
    .map(probeOf)
    .filter((probe) => probe !== null);
}

/** Devices outside of which none fulfils all conditions: the fewest that an index has, if its entries end within the limit. */
async function candidates(
  query: Query,
  probes: readonly Probe[],
  limitOf: (probes: number) => number,
): Promise<readonly number[] | null> {
  if (probes.length === 0) return null;
  const limit = limitOf(probes.length);
  const parameters = new Parameters();
  const limited = parameters.add(limit + 1, 'int');
  const looks = probes.map((probe) => {
    const entries = probe(parameters, limited);
    return `(SELECT count(*)::int AS "looked", array_agg(DISTINCT x."id") FILTER (WHERE x."hit") AS "ids" FROM (${entries}) x)`;
  });
  const found = await query<{ looked: number; ids: number[] | null }>(looks.join(' UNION ALL '), ...parameters.values);
  const sets = found.filter(({ looked }) => looked <= limit).map(({ ids }) => ids ?? []);
  return sets.sort((a, b) => a.length - b.length)[0] ?? null;
}

async function largeCandidates(query: Query, question: DeviceQuestion): Promise<readonly number[] | null> {
  const ids = await candidates(query, probesOf(question).slice(0, MOST_LARGE_PROBES), () => MANY_ENTRIES);
  return ids ?? (question.q === undefined ? null : findByName(query, question.q, MANY_ENTRIES));
}

function conjuncts(filters: readonly FilterExpression[]): readonly FilterExpression[] {
  return filters.flatMap((filter) => (filter.kind === 'and' ? conjuncts(filter.parts) : [filter]));
}

/** Rows `d` of these devices. OFFSET keeps them from being joined with a whole table: one is looked up after the other. */
function devicesOf(ids: readonly number[], parameters: Parameters): string {
  return `unnest(${parameters.add(`{${ids.join(',')}}`, 'text')}::int[]) c("id")
    CROSS JOIN LATERAL (SELECT * FROM "Device" d WHERE d."id" = c."id" OFFSET 0) d`;
}

function conditionsOf({ filters, q }: DeviceQuestion, parameters: Parameters): string {
  const conditions = filters.map((filter) => filterSql(filter, parameters));
  if (q !== undefined) conditions.push(nameHolds(q, parameters));
  return conditions.join(' AND ') || 'TRUE';
}

async function countAmong(query: Query, question: DeviceQuestion, ids: readonly number[]): Promise<number> {
  const parameters = new Parameters();
  const devices = devicesOf(ids, parameters);
  const [row] = await query<{ count: number }>(
    `SELECT count(*)::int AS "count" FROM ${devices} WHERE ${conditionsOf(question, parameters)}`,
    ...parameters.values,
  );
  return row?.count ?? 0;
}

async function countAll(query: Query, question: DeviceQuestion): Promise<DeviceCount> {
  const parameters = new Parameters();
  const [row] = await query<{ count: number }>(
    `SELECT count(*)::int AS "count" FROM "Device" d WHERE ${conditionsOf(question, parameters)}`,
    ...parameters.values,
  );
  return { value: row?.count ?? 0, exact: true };
}

/** By a sample of the table's pages, the same one at every call; null where there are too few devices for one. */
async function estimate(query: Query, question: DeviceQuestion): Promise<DeviceCount | null> {
  const [table] = await query<{ rows: number }>(
    `SELECT c.reltuples::int AS "rows" FROM pg_class c WHERE c.oid = '"Device"'::regclass`,
  );
  const devices = table?.rows ?? 0;
  if (devices <= SAMPLED) return null;
  const parameters = new Parameters();
  const share = parameters.add((100 * SAMPLED) / devices, 'float4');
  const [row] = await query<{ looked: number; count: number }>(
    `SELECT count(*)::int AS "looked", count(*) FILTER (WHERE ${conditionsOf(question, parameters)})::int AS "count"
     FROM "Device" d TABLESAMPLE SYSTEM (${share}) REPEATABLE (0)`,
    ...parameters.values,
  );
  if (!row || row.looked === 0) return null;
  return { value: Math.round((row.count / row.looked) * devices), exact: false };
}
