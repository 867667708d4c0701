import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import type { DeviceKey } from '../domain/device-key.js';
import type { FilterExpression } from '../domain/filter-expression.js';
import { matchesFilter } from '../domain/filter-match.js';
import { devicesThen, type DeviceThen } from './as-of-state.js';
import {
  type DeviceReference,
  type DeviceView,
  type PropertyView,
  SeveralDevices,
  type StatusView,
} from './device.reader.js';
import { type Page, type PageRequest, Parameters } from './read-columns.js';
import { type Query, Snapshots } from './snapshots.js';

/** The place of a device in the list: productKey, deviceName. */
type DevicePlace = readonly [productKey: string, deviceName: string];

/** What of the past is kept. */
export interface KeptHistory {
  readonly retentionReadingsDays?: number | undefined;
}

/** The moment lies before what is kept. */
export class BeforeKept extends Error {
  override readonly name = 'BeforeKept';

  constructor(readonly oldest: Date) {
    super(`nothing is known of times before ${oldest.toISOString()}`);
  }
}

/** Which devices a list of another time shows. */
export interface FleetThen {
  readonly productKey?: string;
  /** Whether devices that were deleted then are shown, too. */
  readonly deleted: boolean;
  readonly filter: FilterExpression | null;
}

interface Candidate extends DeviceKey {
  readonly id: number;
  readonly known: boolean;
}

const DAY_MS = 86_400_000;
/** A page works out the state of no more devices than this, and looks at no more rows than that; there may be a next page all the same. */
const WORKED_OUT = 1_000;
const LOOKED_AT = 20_000;
const CHUNK = 250;
const HOLDERS = 50;

/**
 * Answers what devices were at a moment: as the mirror would have answered had it received exactly what happened up to it, by
 * device time. That a status message tells when a device was heard for the first time counts from then on.
 */
@Injectable()
export class AsOfReader {
  constructor(
    private readonly snapshots: Snapshots,
    @Inject(Settings) private readonly kept: KeptHistory,
  ) {}

  /**
   * @returns null when there was no such device.
   * @throws SeveralDevices, BeforeKept
   */
  async find(reference: DeviceReference, at: Date): Promise<DeviceView | null> {
    return (await this.one(reference, at))?.view ?? null;
  }

  /** @throws SeveralDevices, BeforeKept */
  async status(reference: DeviceReference, at: Date): Promise<StatusView | null> {
    const device = await this.one(reference, at);
    if (!device) return null;
    const { online, since, lastSeen } = device.view;
    return { online, since, lastSeen, reason: device.reason };
  }

  /**
   * Properties by identifier; only the one named, where one is.
   * @throws SeveralDevices, BeforeKept
   */
  async properties(
    reference: DeviceReference,
    at: Date,
    identifier?: string,
  ): Promise<readonly (PropertyView & { readonly identifier: string })[] | null> {
    const device = await this.one(reference, at);
    if (!device) return null;
    return Object.entries(device.view.properties)
      .filter(([name]) => identifier === undefined || name === identifier)
      .map(([name, property]) => ({ identifier: name, ...property }));
  }

  /**
   * Devices by productKey and deviceName.
   * @throws BeforeKept
   */
  async list(fleet: FleetThen, at: Date, page: PageRequest<DevicePlace>): Promise<Page<DeviceView, DevicePlace>> {
    this.check(at);
    return this.snapshots.read((query) => new Walk(query, fleet, at, page).run());
  }

  private async one(reference: DeviceReference, at: Date): Promise<DeviceThen | null> {
    this.check(at);
    return this.snapshots.read(async (query) => {
      if ('iotId' in reference) return holder(query, reference.iotId, at);
      const [row] = await query<{ id: number }>(
        `SELECT d."id" FROM "Device" d WHERE d."productKey" = $1::text AND d."deviceName" = $2::text`,
        reference.productKey,
        reference.deviceName,
      );
      return (row && (await devicesThen(query, [row.id], at)).get(row.id)) ?? null;
    });
  }

  private check(at: Date): void {
    const days = this.kept.retentionReadingsDays;
    const oldest = days === undefined ? -Infinity : Date.now() - days * DAY_MS;
    if (at.getTime() < oldest) throw new BeforeKept(new Date(oldest));
  }
}

/** Of the devices that held an iotId then, the one that was not deleted, else the one that came by it last. */
async function holder(query: Query, iotId: string, at: Date): Promise<DeviceThen | null> {
  const rows = await query<{ id: number }>(
    `SELECT k."deviceId" AS "id" FROM "DeviceIdentity" k JOIN "Device" d ON d."id" = k."deviceId"
     WHERE k."attribute" = 'iotId' AND k."value" = $1::text AND k."at" <= $2::timestamptz
     ORDER BY k."at" DESC, d."productKey", d."deviceName" LIMIT ${HOLDERS}`,
    iotId,
    at.toISOString(),
  );
  const ids = rows.map(({ id }) => id);
  const then = await devicesThen(query, ids, at);
  const holders = ids.flatMap((id) => then.get(id) ?? []).filter(({ view }) => view.iotId === iotId);
  const current = holders.filter(({ view }) => view.lifecycle !== 'delete');
  if (current.length > 1) {
    throw new SeveralDevices(
      iotId,
      current.map(({ view }) => `${view.productKey}:${view.deviceName}`),
    );
  }
  return current[0] ?? holders[0] ?? null;
}

/** Walks the devices in the order of the list until a page is full or enough was looked at. */
class Walk {
  private readonly found: DeviceView[] = [];
  private place: DevicePlace | null;
  private looked = 0;
  private workedOut = 0;

  constructor(
    private readonly query: Query,
    private readonly fleet: FleetThen,
    private readonly at: Date,
    private readonly page: PageRequest<DevicePlace>,
  ) {
    this.place = page.after;
  }

  async run(): Promise<Page<DeviceView, DevicePlace>> {
    const { limit } = this.page;
    for (;;) {
      const chunk = this.fleet.filter || this.looked > 0 ? CHUNK : limit + 1;
      const candidates = await this.candidates(chunk);
      const known = candidates.filter((candidate) => candidate.known).map(({ id }) => id);
      const then = await devicesThen(this.query, known, this.at);
      for (const { id, productKey, deviceName } of candidates) {
        const view = then.get(id)?.view;
        if (view && this.shows(view)) this.found.push(view);
        if (this.found.length > limit)
          return { items: this.found.slice(0, limit), next: placeOf(this.found[limit - 1]) };
        this.place = [productKey, deviceName];
      }
      if (candidates.length < chunk) return { items: this.found, next: null };
      this.looked += candidates.length;
      this.workedOut += known.length;
      if (this.looked >= LOOKED_AT || this.workedOut >= WORKED_OUT) return { items: this.found, next: this.place };
    }
  }

  private shows(view: DeviceView): boolean {
    if (!this.fleet.deleted && view.lifecycle === 'delete') return false;
    return this.fleet.filter === null || matchesFilter(this.fleet.filter, view);
  }

  private candidates(count: number): Promise<Candidate[]> {
    const parameters = new Parameters();
    const conditions = ['TRUE'];
    const moment = parameters.add(this.at.toISOString(), 'timestamptz');
    const products = [this.fleet.productKey, this.fleet.filter && productOf(this.fleet.filter)];
    for (const product of products) {
      if (typeof product === 'string') conditions.push(`d."productKey" = ${parameters.add(product, 'text')}`);
    }
    if (this.place) {
      const [productKey, deviceName] = this.place;
      conditions.push(
        `(d."productKey", d."deviceName") > (${parameters.add(productKey, 'text')}, ${parameters.add(deviceName, 'text')})`,
      );
    }
    return this.query<Candidate>(
      `SELECT d."id", d."productKey", d."deviceName", coalesce(d."knownSince" <= ${moment}, FALSE) AS "known"
       FROM "Device" d WHERE ${conditions.join(' AND ')}
       ORDER BY d."productKey", d."deviceName" LIMIT ${parameters.add(count, 'int')}`,
      ...parameters.values,
    );
  }
}

/** The product that a condition asks for, where it asks for one: nobody is ever of another. */
function productOf(filter: FilterExpression): string | null {
  if (filter.kind === 'and') return filter.parts.map(productOf).find((product) => product !== null) ?? null;
  if (filter.kind !== 'compare' || filter.operator !== 'eq' || filter.value.type !== 'text') return null;
  return filter.field.kind === 'attribute' && filter.field.name === 'productKey' ? filter.value.text : null;
}

function placeOf(view: DeviceView | undefined): DevicePlace | null {
  return view ? [view.productKey, view.deviceName] : null;
}
