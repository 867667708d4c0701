import { attributeSql } from './filter-sql.js';
import { instant, type Parameters } from './read-columns.js';

/** What a list of devices can be sorted by: what has an index. */
export const SORT_FIELDS = [
  'productKey',
  'deviceName',
  'iotId',
  'deviceType',
  'online',
  'since',
  'firstSeen',
  'lastSeen',
  'lifecycle',
  'gateway',
] as const;
export type SortField = (typeof SORT_FIELDS)[number];

export interface DeviceSort {
  readonly field: SortField;
  readonly descending: boolean;
}

/** How values of a field look in a place. */
export type PlaceType = 'text' | 'time' | 'boolean';

/**
 * The place of a device in a list: its value of the sorted field, and what decides between equal ones: its name where the list
 * goes by product, its id elsewhere. A null value lies behind all others, in both directions.
 */
export interface DevicePlace {
  readonly value: string | null;
  readonly tie: string;
}

/** Devices with a value come first, then those without. */
export type Stage = 'valued' | 'null';

const TYPES: Record<SortField, PlaceType> = {
  productKey: 'text',
  deviceName: 'text',
  iotId: 'text',
  deviceType: 'text',
  online: 'boolean',
  since: 'time',
  firstSeen: 'time',
  lastSeen: 'time',
  lifecycle: 'text',
  gateway: 'text',
};

const CASTS: Record<PlaceType, string> = { text: 'text', time: 'timestamptz', boolean: 'boolean' };

export function placeType(field: SortField): PlaceType {
  return TYPES[field];
}

/** SQL for `lastSeen` to the hour, as "lastSeenHour" has it. */
export function hourOf(time: string): string {
  return `date_bin(INTERVAL '1 hour', ${time}, TIMESTAMPTZ '2000-01-01 00:00:00+00')`;
}

/** The SQL of one order of devices, over rows `d` of "Device". */
export class DeviceOrder {
  private readonly direction: 'ASC' | 'DESC';
  private readonly beyond: '>' | '<';
  /** What is sorted by. */
  private readonly value: string;
  private readonly tie: string;
  private readonly tieType: string;
  private readonly type: PlaceType;

  constructor(private readonly sort: DeviceSort) {
    const { field, descending } = sort;
    this.direction = descending ? 'DESC' : 'ASC';
    this.beyond = descending ? '<' : '>';
    this.type = TYPES[field];
    const column = attributeSql(field, 'd');
    const byName = field === 'productKey';
    // The order by product is that of the unique index, which is as old as the table.
    this.value = this.type === 'text' && !byName ? `${column} COLLATE "C"` : column;
    this.tie = byName ? 'd."deviceName"' : 'd."id"';
    this.tieType = byName ? 'text' : 'int';
  }

  get stages(): readonly Stage[] {
    return this.sort.field === 'productKey' ? ['valued'] : ['valued', 'null'];
  }

  /** The stages from a place on. */
  from(place: DevicePlace | null): readonly Stage[] {
    return place?.value === null ? ['null'] : this.stages;
  }

  /** Columns of a place, to select; `placeOf` reads them. */
  get columns(): string {
    const value = this.type === 'time' ? instant(this.value) : `(${this.value})::text`;
    return `${value} AS "placeValue", ${this.tie}::text AS "placeTie"`;
  }

  /** Conditions of a stage behind a place, such that its index is walked from there on. */
  walked(stage: Stage, place: DevicePlace | null, parameters: Parameters): string[] {
    if (stage === 'null') {
      const conditions = [`${this.value} IS NULL`];
      if (place?.value === null) conditions.push(`${this.tie} ${this.beyond} ${this.tieAt(place, parameters)}`);
      return conditions;
    }
    const conditions = this.stages.length > 1 ? [`${this.value} IS NOT NULL`] : [];
    if (place?.value === undefined || place.value === null) return conditions;
    const value = parameters.add(place.value, CASTS[this.type]);
    conditions.push(`(${this.value}, ${this.tie}) ${this.beyond} (${value}, ${this.tieAt(place, parameters)})`);
    if (this.sort.field === 'lastSeen') conditions.push(`d."lastSeenHour" ${this.beyond}= ${hourOf(value)}`);
    return conditions;
  }

  /** The order of a stage, as an index has it. */
  get walk(): string {
    const coarse = this.sort.field === 'lastSeen' ? `d."lastSeenHour" ${this.direction}, ` : '';
    return `${coarse}${this.value} ${this.direction}, ${this.tie} ${this.direction}`;
  }

  /** A condition on any device: whether it lies behind a place. */
  behind(place: DevicePlace, parameters: Parameters): string {
    const of = (stage: Stage): string => `(${this.walked(stage, place, parameters).join(' AND ')})`;
    return `(${this.from(place).map(of).join(' OR ')})`;
  }

  /** The whole order, for devices that come as they like. */
  get whole(): string {
    return `${this.value} ${this.direction} NULLS LAST, ${this.tie} ${this.direction}`;
  }

  private tieAt({ tie }: DevicePlace, parameters: Parameters): string {
    return parameters.add(tie, this.tieType);
  }
}

/** A row with the columns of a place. */
export interface PlaceRow {
  readonly placeValue: string | null;
  readonly placeTie: string;
}

export function placeOf({ placeValue, placeTie }: PlaceRow): DevicePlace {
  return { value: placeValue, tie: placeTie };
}
