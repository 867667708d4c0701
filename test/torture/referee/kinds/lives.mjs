// @ts-check
import { isObject } from '../exact-json.mjs';
import { event, list, object, oneFact, rejected, require, Spelt } from '../facts.mjs';
import { isShort, isStorable } from '../texts.mjs';
import { entryFault } from './entries.mjs';
import { kind } from './kind.mjs';

/** @import { Json } from '../exact-json.mjs' */

// Life cycle and tags: 7.7, 7.13.

/** @param {Json | undefined} action @returns {action is 'create' | 'delete' | 'enable' | 'disable'} */
const isAction = (action) => ['create', 'delete', 'enable', 'disable'].some((known) => known === action);

export const lifecycle = kind({
  topic: 'lifecycle',
  fits: (body) => isAction(body.get('action')) && !['status', 'devices', 'gwProductKey'].some((name) => body.has(name)),
  read(message) {
    const { body, device } = message;
    const action = body.get('action');
    require(isAction(action));
    return oneFact(message, body.get('messageCreateTime'), (at) => [
      event(device, 'lifecycle-changed', at, object({ action }), { type: action }),
      { what: 'lifecycle', device, at, action },
    ]);
  },
});

export const tags = kind({
  topic: 'tags',
  fits: (body) => {
    const value = body.get('value');
    return Array.isArray(value) && value.some((entry) => isObject(entry) && entry.has('attrKey'));
  },
  read(message) {
    const { body, device } = message;
    const entries = body.get('value');
    require(Array.isArray(entries));
    const sentAt = body.get('messageCreateTime');
    return oneFact(message, sentAt, (at) => {
      const told = entries.map((entry) => ({ entry, ...read(entry) }));
      const set = told.flatMap(({ tag }) => (tag ? [tag] : []));
      const value = object({ tags: list(set.map((tag) => new Spelt(object(tag)))) });
      return [
        ...(set.length > 0 ? [event(device, 'tags-changed', at, value)] : []),
        ...set.map((tag) => ({ what: /** @type {const} */ ('tag'), device, at, ...tag })),
        ...told.flatMap(({ entry, fault }) => (fault ? rejected(message, 'value', fault, entry, sentAt) : [])),
      ];
    });
  },
});

/**
 * @param {Json} entry
 * @returns {{ tag?: { key: string, value: string }, fault?: string }}
 */
function read(entry) {
  const key = isObject(entry) ? entry.get('attrKey') : undefined;
  const value = isObject(entry) ? entry.get('attrValue') : undefined;
  if (typeof key !== 'string' || key === '' || typeof value !== 'string') return { fault: entryFault(entry, false) };
  if (!isShort(key) || !isStorable(key) || !isStorable(value)) return { fault: entryFault(entry, true) };
  return { tag: { key, value } };
}
