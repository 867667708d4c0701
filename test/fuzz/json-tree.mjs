// @ts-check

/**
 * JSON as it is written: members in their order, equal names side by side, every name and scalar in its own spelling. So a
 * mutation can write what no JSON.stringify would.
 * @typedef {{ members: [name: string, value: Node][] }} ObjectNode
 * @typedef {{ items: Node[] }} ArrayNode
 * @typedef {{ text: string }} ScalarNode
 * @typedef {ObjectNode | ArrayNode | ScalarNode} Node
 */

/** The white space of JSON only: a parser takes no other. */
const TOKEN = /[ \t\r\n]*([{}[\],:]|"(?:[^"\\]|\\[^])*"|[^ \t\r\n{}[\],:"]+)/y;
const DEPTH_LIMIT = 200;

/**
 * @param {string} text
 * @returns {Node | null} null for what is not JSON in outline, or too deep to work on
 */
export function parseTree(text) {
  let position = 0;
  const next = () => {
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(text);
    if (match === null) throw new SyntaxError('no token');
    position = TOKEN.lastIndex;
    return /** @type {string} */ (match[1]);
  };
  const peek = () => {
    const before = position;
    const token = next();
    position = before;
    return token;
  };
  /** @param {string} token */
  const expect = (token) => {
    if (next() !== token) throw new SyntaxError(`no ${token}`);
  };
  /**
   * @param {string} close
   * @param {() => void} element
   */
  const list = (close, element) => {
    if (peek() === close) return next();
    for (;;) {
      element();
      if (peek() === close) return next();
      expect(',');
    }
  };
  /**
   * @param {number} depth
   * @returns {Node}
   */
  const value = (depth) => {
    if (depth > DEPTH_LIMIT) throw new SyntaxError('too deep');
    const token = next();
    if (token === '{') {
      /** @type {[string, Node][]} */
      const members = [];
      list('}', () => {
        const name = next();
        if (!name.startsWith('"')) throw new SyntaxError('no name');
        expect(':');
        members.push([name, value(depth + 1)]);
      });
      return { members };
    }
    if (token === '[') {
      /** @type {Node[]} */
      const items = [];
      list(']', () => items.push(value(depth + 1)));
      return { items };
    }
    if (/^[\]},:]$/.test(token)) throw new SyntaxError('no value');
    return { text: token };
  };
  try {
    const tree = value(0);
    return /^[ \t\r\n]*$/.test(text.slice(position)) ? tree : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * @param {Node} node
 * @returns {string}
 */
export function writeTree(node) {
  if ('text' in node) return node.text;
  if ('items' in node) return `[${node.items.map(writeTree).join(',')}]`;
  return `{${node.members.map(([name, value]) => `${name}:${writeTree(value)}`).join(',')}}`;
}

/**
 * Every node below and with `node`.
 * @param {Node} node
 * @param {Node[]} [found]
 * @returns {Node[]}
 */
export function allNodes(node, found = []) {
  found.push(node);
  for (const child of childrenOf(node)) allNodes(child, found);
  return found;
}

/**
 * @param {Node} node
 * @returns {Node[]}
 */
export function childrenOf(node) {
  if ('items' in node) return node.items;
  return 'members' in node ? node.members.map(([, value]) => value) : [];
}

/**
 * @param {Node} node
 * @returns {Node}
 */
export function copyOf(node) {
  return structuredClone(node);
}

/**
 * Whether an object in it has two members of one name, however spelt: then their order means something.
 * @param {Node} node
 * @returns {boolean}
 */
export function repeatsNames(node) {
  if ('members' in node) {
    const names = new Set(node.members.map(([name]) => plainName(name)));
    if (names.size < node.members.length) return true;
  }
  return childrenOf(node).some(repeatsNames);
}

/**
 * @param {string} token a name with its quotes
 * @returns {string}
 */
function plainName(token) {
  try {
    return JSON.parse(token);
  } catch {
    return token;
  }
}

/**
 * The same value with the members of every object in the opposite order.
 * @param {Node} node
 * @returns {Node}
 */
export function reversed(node) {
  if ('items' in node) return { items: node.items.map(reversed) };
  if ('text' in node) return node;
  return {
    members: node.members.map(([name, value]) => /** @type {[string, Node]} */ ([name, reversed(value)])).reverse(),
  };
}
