import { Injectable } from '@nestjs/common';
import { ABOUT_NOTHING, type DecodedMessage } from '../domain/decoded-message.js';
import type { PlatformUser, UserUnbound } from '../domain/device-event.js';
import { deviceKeyText, type DeviceKey } from '../domain/device-key.js';
import { ERASURE_LOCK } from './advisory-locks.js';
import { column } from './columns.js';
import { type ErasureKey, ErasureKeys, type KeyRow } from './erasure-keys.js';
import { type LaterFact, sortLaterFacts } from './erased-unbindings.js';
import { blanked, blankedBytes, mentions, textOf, wordsOf } from './identity-in-text.js';
import type { Transaction } from './prisma.service.js';
import { type BindingPlan, type EventPlan, planWrites, type WritePlan } from './write-plan.js';

/** A key, and how long the words are that were hashed with it. */
interface SearchKey {
  readonly key: ErasureKey;
  readonly lengths: ReadonlySet<number>;
}

/** Somebody who was erased, known by name again because the name is in what is to be written. */
interface Erased {
  readonly identityId: string;
  readonly search: SearchKey;
  /** Keyed hashes. */
  readonly identity: string;
  readonly scope: string | null;
  readonly tenant: string | null;
  readonly at: Date;
}

/**
 * Takes out of what is to be written whatever would bring back a user who was erased. While nobody ever was, that is one short
 * question a transaction, and none where nothing in it can name a user.
 */
@Injectable()
export class ErasedFacts {
  constructor(private readonly keys: ErasureKeys) {}

  /** The plan without these facts. From here to the end of the transaction nobody is erased. */
  async leftOut(tx: Transaction, plan: WritePlan): Promise<WritePlan> {
    if (plan.bindings.length + plan.events.length + plan.refused.length === 0) return plan;
    const [row] = await tx.$queryRawUnsafe<{ keys: string | null }[]>(
      `SELECT "partitions"."erasure_keys"(${ERASURE_LOCK}) AS "keys"`,
    );
    if (!row?.keys) return plan;
    const keys = JSON.parse(row.keys) as (KeyRow & { readonly lengths: readonly number[] })[];
    const erased = await erasedAmong(
      tx,
      plan,
      keys.map((each) => ({ key: this.keys.ofRow(each), lengths: new Set(each.lengths) })),
    );
    return erased.length === 0 ? plan : without(tx, plan, erased);
  }
}

/** Who of those that a plan names was erased. */
async function erasedAmong(tx: Transaction, plan: WritePlan, keys: readonly SearchKey[]): Promise<readonly Erased[]> {
  const named = new Map<string, Pick<Erased, 'identityId' | 'search'>>();
  for (const search of keys) {
    for (const word of wordsOfPlan(plan, search.lengths)) {
      named.set(search.key.hash('identity', word), { identityId: word, search });
    }
  }
  if (named.size === 0) return [];
  const rows = await tx.$queryRawUnsafe<Omit<Erased, 'identityId' | 'search'>[]>(
    `SELECT "identity", "scope", "tenant", "erasedAt" AS "at" FROM "ErasedIdentity" WHERE "identity" = ANY($1::text::text[])
     ORDER BY "hash"`,
    column([...named.keys()], (hash) => hash),
  );
  return rows.flatMap((row) => {
    const who = named.get(row.identity);
    return who ? [{ ...row, ...who }] : [];
  });
}

function wordsOfPlan(plan: WritePlan, lengths: ReadonlySet<number>): Set<string> {
  const words = new Set<string>();
  const add = (word: string): void => {
    if (lengths.has(word.length)) words.add(word);
  };
  for (const { user } of plan.bindings) add(user.identityId);
  const texts = [
    ...plan.events.filter((event) => !isBinding(event)).map(textOfEvent),
    ...plan.refused.map(textOfRefused),
  ];
  for (const text of texts) for (const word of wordsOf(text, lengths)) words.add(word);
  return words;
}

async function without(tx: Transaction, plan: WritePlan, erased: readonly Erased[]): Promise<WritePlan> {
  const dropped = new Set<string>();
  const later: LaterFact[] = [];
  for (const fact of plan.bindings) {
    const who = erased.filter((each) => isUser(each, fact.user));
    const last = who.reduce((newest, each) => (each.at > newest ? each.at : newest), NEVER);
    if (who[0] === undefined) continue;
    if (fact.at <= last) dropped.add(factKey(fact.device, fact));
    else later.push({ fact, identity: who[0].identity, erasedAt: last });
  }
  const { parked, restored } = await sortLaterFacts(tx, later);
  for (const fact of parked) dropped.add(factKey(fact.device, fact));
  const again = planWrites([tellingOf(restored)], { readingsFrom: null, eventsFrom: null });
  const events = plan.events.filter((event) =>
    isBinding(event)
      ? !dropped.has(factKeyOfEvent(event))
      : !erased.some((each) => event.at <= each.at && isNamed(each, textOfEvent(event))),
  );
  const hashes = new Set(events.map(({ hash }) => hash));
  return {
    ...plan,
    bindings: [...plan.bindings.filter((fact) => !dropped.has(factKey(fact.device, fact))), ...again.bindings],
    events: [...events, ...again.events.filter(({ hash }) => !hashes.has(hash))],
    refused: plan.refused.map((message) => erased.reduce(redacted, message)),
  };
}

const NEVER = new Date(-8.64e15);

function isUser({ identityId, search: { key }, scope, tenant }: Erased, user: PlatformUser): boolean {
  return (
    user.identityId === identityId &&
    (scope === null || key.hash('scope', user.scopeId) === scope) &&
    (tenant === null || key.hash('tenant', user.tenantId) === tenant)
  );
}

/** Whether a text names the user, together with the scope and tenant that the erasure was narrowed to. */
function isNamed({ identityId, search: { key, lengths }, scope, tenant }: Erased, text: string): boolean {
  if (!mentions(text, identityId)) return false;
  if (scope === null && tenant === null) return true;
  const words = [...wordsOf(text, lengths)];
  return (
    (scope === null || words.some((word) => key.hash('scope', word) === scope)) &&
    (tenant === null || words.some((word) => key.hash('tenant', word) === tenant))
  );
}

/** A message that is to be set aside, without the name if it was sent before the erasure, or nobody can tell when. */
function redacted(message: DecodedMessage, erased: Erased): DecodedMessage {
  const { identityId: name, at } = erased;
  if (message.refusal === null || (message.sentAt !== null && message.sentAt > at)) return message;
  if (!isNamed(erased, textOfRefused(message))) return message;
  const { raw, refusal } = message;
  const properties = Object.entries(raw.properties).map(([key, value]) => [blanked(key, name), blanked(value, name)]);
  return {
    ...message,
    raw: {
      ...raw,
      messageId: raw.messageId && blanked(raw.messageId, name),
      topic: raw.topic && blanked(raw.topic, name),
      generateTime: raw.generateTime && blanked(raw.generateTime, name),
      properties: Object.fromEntries(properties) as Record<string, string>,
      body: blankedBytes(raw.body, name),
    },
    refusal: { ...refusal, detail: blanked(refusal.detail, name) },
    about: mentions(JSON.stringify(message.about), name) ? ABOUT_NOTHING : message.about,
  };
}

function textOfRefused(message: DecodedMessage): string {
  const { messageId, topic, generateTime, properties, body } = message.raw;
  return `${JSON.stringify([messageId, topic, generateTime, properties, message.refusal?.detail])} ${textOf(body)}`;
}

/** Everything of an event in which a name may stand. */
export function textOfEvent({
  identifier,
  name,
  type,
  requestId,
  value,
}: Pick<EventPlan, 'identifier' | 'name' | 'type' | 'requestId' | 'value'>): string {
  const text = `${[identifier, name, type, requestId].filter((each) => each !== null).join(' ')} ${value}`;
  return value.includes('"encoding":"base64"') || value.includes('"encoding": "base64"')
    ? `${text} ${bytesIn(value)}`
    : text;
}

/** What the value of a custom message that was no text holds. */
function bytesIn(value: string): string {
  const { body } = JSON.parse(value) as { readonly body?: unknown };
  return typeof body === 'string' ? textOf(Buffer.from(body, 'base64')) : '';
}

function isBinding({ kind }: Pick<EventPlan, 'kind'>): boolean {
  return kind === 'user-bound' || kind === 'user-unbound';
}

type Fact = Pick<BindingPlan, 'user' | 'at' | 'bound' | 'owned'>;

function factKey(device: DeviceKey, { user: { identityId, scopeId, tenantId }, at, bound, owned }: Fact): string {
  return JSON.stringify([deviceKeyText(device), identityId, scopeId, tenantId, at.getTime(), bound, owned]);
}

function factKeyOfEvent({ device, kind, at, value }: EventPlan): string {
  const { owned, ...user } = JSON.parse(value) as PlatformUser & { readonly owned: boolean };
  return device ? factKey(device, { user, at, bound: kind === 'user-bound', owned }) : '';
}

/** A message that tells once more what had been kept back. */
function tellingOf(events: readonly UserUnbound[]): DecodedMessage {
  const receivedAt = new Date();
  const raw = {
    transport: '',
    messageId: null,
    topic: null,
    generateTime: null,
    properties: {},
    body: Buffer.alloc(0),
    fault: null,
    receivedAt,
  };
  return { key: '', raw, sentAt: null, events, refusal: null };
}
