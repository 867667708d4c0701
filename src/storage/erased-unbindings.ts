import type { UserUnbound } from '../domain/device-event.js';
import { deviceKeyText } from '../domain/device-key.js';
import { column } from './columns.js';
import type { Transaction } from './prisma.service.js';
import type { BindingPlan } from './write-plan.js';

/** A fact of somebody who had been erased before it happened. */
export interface LaterFact {
  readonly fact: BindingPlan;
  /** The keyed hash of the identity. */
  readonly identity: string;
  readonly erasedAt: Date;
}

/** How long an unbind waits for a bind that was told before it and comes behind it: the platform repeats for a day. */
export const PARKED_DAYS = 8;

/**
 * A user who was erased and binds a device again has come back, and is a user like any other from then on. An unbind alone is only
 * the end of what was erased: it is kept without the name. Since the two may arrive in either order, the bind takes up
 * what was kept of the same user and device.
 * @returns the facts that are not to be written, and those that are to be written in addition.
 */
export async function sortLaterFacts(
  tx: Transaction,
  later: readonly LaterFact[],
): Promise<{ readonly parked: readonly BindingPlan[]; readonly restored: readonly UserUnbound[] }> {
  if (later.length === 0) return { parked: [], restored: [] };
  for (const identity of [...new Set(later.map((each) => each.identity))].sort()) {
    // Whoever writes of the same person waits here, and sees what was written before.
    await tx.$queryRawUnsafe(`SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))::text`, identity);
  }
  const binds = later.filter(({ fact }) => fact.bound);
  const back = new Set([...binds.map(({ fact }) => holderOf(fact)), ...(await bound(tx, later))]);
  const parked = later.filter(({ fact }) => !fact.bound && !back.has(holderOf(fact)));
  await park(tx, parked);
  return { parked: parked.map(({ fact }) => fact), restored: await takeUp(tx, binds) };
}

/** Who of these has bound the device since the erasure. */
async function bound(tx: Transaction, later: readonly LaterFact[]): Promise<string[]> {
  const rows = await tx.$queryRawUnsafe<{ place: number }[]>(
    `SELECT i.place::int AS "place"
     FROM unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::text[], $6::text::timestamptz[])
       WITH ORDINALITY AS i(pk, dn, identity, scope, tenant, erased, place)
     JOIN "Device" d ON d."productKey" = i.pk AND d."deviceName" = i.dn
     WHERE EXISTS (SELECT FROM "UserBinding" b WHERE b."deviceId" = d."id" AND b."identityId" = i.identity
       AND b."scopeId" = i.scope AND b."tenantId" = i.tenant AND b."bound" AND b."at" > i.erased)`,
    ...deviceColumns(later),
    column(later, ({ fact }) => fact.user.identityId),
    ...scopeColumns(later),
    column(later, ({ erasedAt }) => erasedAt),
  );
  return rows.flatMap(({ place }) => later.slice(place - 1, place).map(({ fact }) => holderOf(fact)));
}

async function park(tx: Transaction, parked: readonly LaterFact[]): Promise<void> {
  if (parked.length === 0) return;
  await tx.$executeRawUnsafe(
    `INSERT INTO "ErasedUnbinding"
       ("productKey", "deviceName", "identity", "scopeId", "tenantId", "at", "owned", "receivedAt")
     SELECT i.*, now() FROM unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::text[],
       $6::text::timestamptz[], $7::text::bool[]) AS i
     ON CONFLICT DO NOTHING`,
    ...deviceColumns(parked),
    column(parked, ({ identity }) => identity),
    ...scopeColumns(parked),
    column(parked, ({ fact }) => fact.at),
    column(parked, ({ fact }) => fact.owned),
  );
}

async function takeUp(tx: Transaction, binds: readonly LaterFact[]): Promise<readonly UserUnbound[]> {
  if (binds.length === 0) return [];
  const rows = await tx.$queryRawUnsafe<
    {
      productKey: string;
      deviceName: string;
      identity: string;
      scopeId: string;
      tenantId: string;
      at: Date;
      owned: boolean;
    }[]
  >(
    `DELETE FROM "ErasedUnbinding" u
     USING unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::text[])
       AS i(pk, dn, identity, scope, tenant)
     WHERE (u."identity", u."productKey", u."deviceName", u."scopeId", u."tenantId") = (i.identity, i.pk, i.dn, i.scope, i.tenant)
     RETURNING u."productKey", u."deviceName", u."identity", u."scopeId", u."tenantId", u."at", u."owned"`,
    ...deviceColumns(binds),
    column(binds, ({ identity }) => identity),
    ...scopeColumns(binds),
  );
  const names = new Map(binds.map(({ identity, fact }) => [identity, fact.user.identityId]));
  return rows.map(({ productKey, deviceName, identity, scopeId, tenantId, at, owned }) => ({
    kind: 'user-unbound',
    device: { productKey, deviceName },
    user: { identityId: names.get(identity) ?? '', scopeId, tenantId },
    at,
    owned,
  }));
}

function deviceColumns(facts: readonly LaterFact[]): string[] {
  return [column(facts, ({ fact }) => fact.device.productKey), column(facts, ({ fact }) => fact.device.deviceName)];
}

function scopeColumns(facts: readonly LaterFact[]): string[] {
  return [column(facts, ({ fact }) => fact.user.scopeId), column(facts, ({ fact }) => fact.user.tenantId)];
}

function holderOf({ device, user: { identityId, scopeId, tenantId } }: BindingPlan): string {
  return JSON.stringify([deviceKeyText(device), identityId, scopeId, tenantId]);
}
