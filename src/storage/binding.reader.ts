import { Injectable } from '@nestjs/common';
import { type DeviceReference, findDevice } from './device.reader.js';
import { instant, type Instant, type Page, pageOf, type PageRequest, Parameters } from './read-columns.js';
import { narrowedTo, ofUser, type UserReference } from './user-windows.js';
import { type Query, Snapshots } from './snapshots.js';

/** A user owned or shared a device from one time until another. */
export interface BindingView {
  readonly identityId: string;
  readonly scopeId: string;
  readonly tenantId: string;
  /** True for the owner, false for somebody the device is shared with. */
  readonly owned: boolean;
  /** Null when only the end is known. */
  readonly from: Instant | null;
  /** Null while it lasts. */
  readonly until: Instant | null;
}

/** The same, of a device that is named. */
export interface UserDeviceView extends BindingView {
  readonly productKey: string;
  readonly deviceName: string;
  readonly iotId: string | null;
}

/** Which intervals: those that last, those that held at a time or at some time of a stretch, or all. */
export type BindingMoment = 'now' | 'ever' | Date | BindingStretch;

/** From a time on, and before another one. */
export interface BindingStretch {
  readonly from: Date | null;
  readonly to: Date | null;
}

/** The place of a binding in its list. */
export type BindingPlace = readonly [
  at: Instant,
  identityId: string,
  scopeId: string,
  tenantId: string,
  device: string,
];

interface Row extends UserDeviceView {
  readonly at: Instant;
  readonly deviceId: string;
}

/** Answers who owned or shared what. */
@Injectable()
export class BindingReader {
  constructor(private readonly snapshots: Snapshots) {}

  /**
   * The users of one device, the newest binding first.
   * @returns null when there is no such device.
   * @throws SeveralDevices
   */
  async ofDevice(
    reference: DeviceReference,
    moment: BindingMoment,
    page: PageRequest<BindingPlace>,
    users: Omit<UserReference, 'identityId'> = {},
  ): Promise<Page<BindingView, BindingPlace> | null> {
    return this.snapshots.read(async (query) => {
      const device = await findDevice(query, reference);
      if (!device) return null;
      const parameters = new Parameters();
      const rows = await bindings(
        query,
        parameters,
        [`b."deviceId" = ${parameters.add(device.id, 'int')}`, ...narrowedTo(parameters, users)],
        moment,
        page,
      );
      return pageOf(rows, page.limit, bindingView, placeOf);
    });
  }

  /** The devices of one user, the newest binding first. Deleted ones only where asked for. */
  async ofUser(
    user: UserReference,
    moment: BindingMoment,
    deleted: boolean,
    page: PageRequest<BindingPlace>,
  ): Promise<Page<UserDeviceView, BindingPlace>> {
    return this.snapshots.read(async (query) => {
      const parameters = new Parameters();
      const conditions = ofUser(parameters, user);
      if (!deleted) {
        const then =
          moment instanceof Date
            ? ` AND d."lifecycleAt" <= ${parameters.add(moment.toISOString(), 'timestamptz')}`
            : '';
        conditions.push(`(d."lifecycle" IS NOT DISTINCT FROM 'delete'${then}) IS NOT TRUE`);
      }
      const rows = await bindings(query, parameters, conditions, moment, page);
      return pageOf(rows, page.limit, userDeviceView, placeOf);
    });
  }
}

async function bindings(
  query: Query,
  parameters: Parameters,
  conditions: string[],
  moment: BindingMoment,
  page: PageRequest<BindingPlace>,
): Promise<Row[]> {
  // A bind begins an interval. An unbind is one only where nothing is known of its beginning. At one time the last one counts.
  conditions.push(`(b."bound" OR b."until" IS NOT NULL) AND b."until" IS DISTINCT FROM b."from"`);
  if (moment === 'now') conditions.push('b."bound" AND b."until" IS NULL');
  else if (moment !== 'ever' && !(moment instanceof Date)) conditions.push(...during(parameters, moment));
  else if (moment !== 'ever') {
    const at = parameters.add(moment.toISOString(), 'timestamptz');
    conditions.push(`(b."from" IS NULL OR b."from" <= ${at}) AND (b."until" IS NULL OR b."until" > ${at})`);
  }
  if (page.after) {
    const [at, identityId, scopeId, tenantId, device] = page.after;
    conditions.push(
      `(b."at", b."identityId", b."scopeId", b."tenantId", b."deviceId") < (${[
        parameters.add(at, 'timestamptz'),
        ...[identityId, scopeId, tenantId].map((text) => parameters.add(text, 'text')),
        parameters.add(device, 'int'),
      ].join(', ')})`,
    );
  }
  return query<Row>(
    `SELECT b."identityId", b."scopeId", b."tenantId", b."owned", ${instant('b."from"')} AS "from", ${instant('b."until"')} AS "until",
       d."productKey", d."deviceName", d."iotId", ${instant('b."at"')} AS "at", b."deviceId"::text AS "deviceId"
     FROM "UserBinding" b
     CROSS JOIN LATERAL (SELECT d.* FROM "Device" d WHERE d."id" = b."deviceId" OFFSET 0) d
     WHERE ${conditions.join(' AND ')}
     ORDER BY b."at" DESC, b."identityId" DESC, b."scopeId" DESC, b."tenantId" DESC, b."deviceId" DESC
     LIMIT ${parameters.add(page.limit + 1, 'int')}`,
    ...parameters.values,
  );
}

/** Conditions on a binding that it held at some time of a stretch. */
function during(parameters: Parameters, { from, to }: BindingStretch): readonly string[] {
  const conditions: string[] = [];
  if (to) conditions.push(`(b."from" IS NULL OR b."from" < ${parameters.add(to.toISOString(), 'timestamptz')})`);
  if (from) conditions.push(`(b."until" IS NULL OR b."until" > ${parameters.add(from.toISOString(), 'timestamptz')})`);
  return conditions;
}

function placeOf({ at, identityId, scopeId, tenantId, deviceId }: Row): BindingPlace {
  return [at, identityId, scopeId, tenantId, deviceId];
}

function bindingView({ identityId, scopeId, tenantId, owned, from, until }: Row): BindingView {
  return { identityId, scopeId, tenantId, owned, from, until };
}

function userDeviceView(row: Row): UserDeviceView {
  const { productKey, deviceName, iotId } = row;
  return { productKey, deviceName, iotId, ...bindingView(row) };
}
