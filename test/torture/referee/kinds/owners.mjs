// @ts-check
import { isObject, JsonNumber } from '../exact-json.mjs';
import { event, object, oneFact, plain, rejected, require } from '../facts.mjs';
import { isShort, isStorable } from '../texts.mjs';
import { entryFault } from './entries.mjs';
import { kind } from './kind.mjs';

/** @import { Json } from '../exact-json.mjs' */

// Who owns or shares a device: 7.6, one fact a user.

export const userBinding = kind({
  topic: 'user-binding',
  fits: (body) => typeof body.get('bind') === 'boolean' && Array.isArray(body.get('identityInfos')),
  read(message) {
    const { body, device } = message;
    const [bound, infos] = [body.get('bind'), body.get('identityInfos')];
    require(typeof bound === 'boolean' && Array.isArray(infos));
    const sentAt = body.get('messageCreateTime');
    return oneFact(message, sentAt, (at) =>
      infos.flatMap((entry) => {
        const told = read(entry);
        if ('fault' in told) return rejected(message, 'identityInfos', told.fault, entry, sentAt);
        const { user, owned } = told;
        const [identityId, scopeId, tenantId] = user;
        const value = object({ identityId, scopeId, tenantId, owned });
        return [
          event(device, bound ? 'user-bound' : 'user-unbound', at, value, { identifier: identityId }),
          { what: 'binding', device, at, user, bound, owned },
        ];
      }),
    );
  },
});

/**
 * @param {Json} entry
 * @returns {{ user: readonly [string, string, string], owned: boolean } | { fault: string }}
 */
function read(entry) {
  if (!isObject(entry)) return { fault: entryFault(entry, false) };
  const identityId = entry.get('identityId');
  const scopeId = entry.get('scopeId') ?? '';
  const tenantId = entry.get('tenantId') ?? '';
  const owned = truth(entry.get('owned'));
  if (
    typeof identityId === 'string' &&
    identityId !== '' &&
    typeof scopeId === 'string' &&
    typeof tenantId === 'string' &&
    owned !== null
  ) {
    const user = /** @type {const} */ ([identityId, scopeId, tenantId]);
    if (user.every((name) => isShort(name) && isStorable(name))) return { user, owned };
    return { fault: entryFault(entry, true) };
  }
  return { fault: entryFault(entry, false) };
}

/** @param {Json | undefined} owned */
function truth(owned) {
  if (typeof owned === 'boolean') return owned;
  const code = owned instanceof JsonNumber ? plain(owned) : owned;
  return code === '1' ? true : code === '0' ? false : null;
}
