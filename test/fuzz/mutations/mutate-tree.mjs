// @ts-check
import { allNodes, childrenOf, copyOf } from '../json-tree.mjs';
import { NAMES, SCALARS, TIMES } from './words.mjs';

/**
 * @typedef {import('../chance.mjs').Chance} Chance
 * @typedef {import('../json-tree.mjs').Node} Node
 * @typedef {import('../json-tree.mjs').ObjectNode} ObjectNode
 */

const TIME_NAMES = /time|Time|gmtCreate/;
const MOST_COPIES = 300;

/**
 * Changes one thing about the meaning of a JSON body: it stays JSON, mostly.
 * @param {Node} tree to be changed in place
 * @param {Chance} chance
 * @param {() => Node | null} other a tree of some other input, to take parts of
 */
export function mutateTree(tree, chance, other) {
  const nodes = allNodes(tree);
  const objects = nodes.filter((node) => 'members' in node);
  const object = objects.length === 0 ? null : chance.pick(objects);
  const at = object === null ? 0 : chance.below(object.members.length);
  const member = object?.members[at];
  const change = chance.below(member === undefined ? 3 : 14);
  if (object === null || member === undefined) return replace(tree, chance.pick(nodes), randomValue(chance, other));
  switch (change) {
    case 0:
    case 1:
    case 2:
      member[1] = valueFor(member[0], chance, other);
      return undefined;
    case 3:
      return replace(tree, chance.pick(nodes), randomValue(chance, other));
    case 4:
      member[0] = quoted(chance.pick(NAMES));
      return undefined;
    case 5: {
      const name = quoted(chance.pick(NAMES));
      object.members.splice(chance.below(object.members.length + 1), 0, [name, valueFor(name, chance, other)]);
      return undefined;
    }
    case 6: // the same name twice
      object.members.push([member[0], chance.happens(0.5) ? copyOf(member[1]) : randomValue(chance, other)]);
      return undefined;
    case 7:
      object.members.splice(at, 1);
      return undefined;
    case 8: // from another place of the same tree
      member[1] = copyOf(chance.pick(nodes));
      return undefined;
    case 9:
      member[1] = nested(member[1], chance);
      return undefined;
    case 10: // a name in another spelling
      member[0] = member[0].replace(/^"([a-zA-Z])/, (_, letter) => `"\\u00${letter.charCodeAt(0).toString(16)}`);
      return undefined;
    case 11: // its JSON as a string, as careless clients do
      member[1] = { text: JSON.stringify(JSON.stringify(SCALARS.length) + textOf(member[1])) };
      return undefined;
    case 12:
      return multiply(object, member, chance);
    default: {
      const list = nodes.filter((node) => 'items' in node);
      const { items } = list.length === 0 ? { items: /** @type {Node[]} */ ([]) } : chance.pick(list);
      const item = items.length > 0 && chance.happens(0.6) ? copyOf(chance.pick(items)) : randomValue(chance, other);
      items.splice(chance.below(items.length + 1), chance.below(2), item);
      return undefined;
    }
  }
}

/**
 * A member that holds a secret, which must not be found again anywhere.
 * @param {Node} tree
 * @param {Chance} chance
 * @param {string} secret
 * @returns {boolean} false where no object is there to put it in
 */
export function plantSecret(tree, chance, secret) {
  const objects = allNodes(tree).filter((node) => 'members' in node);
  if (objects.length === 0) return false;
  const name = chance.pick(['deviceSecret', 'DeviceSecret', '\\u0064eviceSecret', 'device\\u0053ecret']);
  const value = chance.pick([
    `"${secret}"`,
    `"${secret}\\u0000"`,
    `"\\"${secret}"`,
    `{"a":["${secret}"]}`,
    `["${secret}",{"b":"]${secret}"}]`,
  ]);
  const { members } = chance.pick(objects);
  const planted = /** @type {[string, Node]} */ ([`"${name}"`, { text: value }]);
  if (chance.happens(0.3)) {
    // inside a string that is JSON itself, once or twice over
    let text = `{"${name}":${value}}`;
    for (let depth = chance.below(3); depth >= 0; depth--) text = JSON.stringify(depth === 0 ? text : `[${text}]`);
    planted[0] = quoted(chance.pick(NAMES));
    planted[1] = { text };
  }
  members.splice(chance.below(members.length + 1), 0, planted);
  return true;
}

/**
 * @param {string} name
 * @param {Chance} chance
 * @param {() => Node | null} other
 * @returns {Node}
 */
function valueFor(name, chance, other) {
  return TIME_NAMES.test(name) && chance.happens(0.7) ? { text: chance.pick(TIMES) } : randomValue(chance, other);
}

/**
 * @param {Chance} chance
 * @param {() => Node | null} other
 * @returns {Node}
 */
function randomValue(chance, other) {
  if (chance.happens(0.25)) {
    const tree = other();
    if (tree !== null) return copyOf(chance.pick(allNodes(tree)));
  }
  if (chance.happens(0.1)) return { text: chance.pick(TIMES) };
  if (chance.happens(0.1)) return { text: randomNumber(chance) };
  if (chance.happens(0.03)) return { text: quoted('y'.repeat(chance.size(60_000))) };
  return { text: chance.pick(SCALARS) };
}

/** @param {Chance} chance */
function randomNumber(chance) {
  const digits = () => Array.from({ length: chance.size(40) }, () => chance.below(10)).join('');
  const whole = chance.happens(0.2) ? '0' : `${1 + chance.below(9)}${digits()}`;
  const fraction = chance.happens(0.5) ? `.${digits()}` : '';
  const exponent = chance.happens(0.3) ? `e${chance.pick(['', '+', '-'])}${chance.size(1_200)}` : '';
  return `${chance.pick(['', '-'])}${whole}${fraction}${exponent}`;
}

/**
 * @param {Node} node
 * @param {Chance} chance
 * @returns {Node}
 */
function nested(node, chance) {
  let result = node;
  for (let depth = chance.size(90); depth > 0; depth--) {
    result = chance.happens(0.5) ? { items: [result] } : { members: [[quoted('a'), result]] };
  }
  return result;
}

/**
 * @param {ObjectNode} object
 * @param {[string, Node]} member
 * @param {Chance} chance
 */
function multiply(object, [name, value], chance) {
  const copies = chance.size(MOST_COPIES);
  if (allNodes(object).length * copies > 20_000) return;
  for (let i = 0; i < copies; i++) object.members.push([name.replace(/"$/, `${i}"`), copyOf(value)]);
}

/**
 * @param {Node} tree
 * @param {Node} old
 * @param {Node} replacement
 */
function replace(tree, old, replacement) {
  for (const node of allNodes(tree)) {
    if (!childrenOf(node).includes(old)) continue;
    if ('items' in node) node.items[node.items.indexOf(old)] = replacement;
    else if ('members' in node) for (const member of node.members) if (member[1] === old) member[1] = replacement;
  }
}

/** @param {Node} node */
function textOf(node) {
  return 'text' in node ? node.text : '';
}

/** @param {string} content */
function quoted(content) {
  return `"${content}"`;
}
