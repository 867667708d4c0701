import { isUtf8 } from 'node:buffer';
import type { RawMessage } from '../domain/raw-message.js';
import { BYTE_ORDER_MARK, endOfString } from './parse-json.js';

/** JSON inside a string inside a string, and so on: deeper than this the whole string is blanked. */
const NESTING_LIMIT = 8;

/** The field's name, in the two spellings that the platform's interfaces use. */
const SECRET_KEY = /^[dD]eviceSecret$/;

/**
 * For text that is not JSON: the name, whatever quotes it, a separator, and the value, either quoted (with as many
 * backslashes at its end as at its beginning) or up to a delimiter.
 */
const NAME_AND_VALUE = /(?<!\/)([dD]eviceSecret['"\\]*\s*[:=>]\s*)(?:(\\*["'])[^]*?(?:(?<!\\)\2|$)|[^\s'",;&<>}\])]+)/g;

/**
 * Blanks the value of every `deviceSecret` (protocol 7.7) in a message, wherever it stands: at any depth, however its
 * key is escaped, in JSON inside a string, in text that is not JSON. Everything else stays as it came.
 */
export function redactSecrets(raw: RawMessage): RawMessage {
  const body = redactBytes(raw.body);
  const properties = redactProperties(raw.properties);
  return body === raw.body && properties === raw.properties ? raw : { ...raw, body, properties };
}

function redactBytes(body: Buffer): Buffer {
  if (!body.includes('eviceSecret') && !body.includes('\\u00')) return body;
  const encoding = isUtf8(body) ? 'utf8' : 'latin1'; // latin1 keeps every byte of what is not UTF-8
  const text = body.toString(encoding);
  const redacted = redactText(text, 0);
  return redacted === text ? body : Buffer.from(redacted, encoding);
}

function redactProperties(properties: RawMessage['properties']): RawMessage['properties'] {
  let changed: Record<string, string> | null = null;
  for (const name of Object.keys(properties)) {
    const value = properties[name] ?? '';
    const redacted = SECRET_KEY.test(name) ? '' : redactText(value, 0);
    if (redacted !== value) (changed ??= { ...properties })[name] = redacted;
  }
  return changed ?? properties;
}

/** Cheap, and true for every text that could hold the name, spelt out or with some letters as `\u00xx`. */
function mayMention(text: string): boolean {
  return text.includes('eviceSecret') || (text.includes('\\u00') && /\\u00[4-7]/.test(text));
}

function redactText(text: string, nesting: number): string {
  if (!mayMention(text)) return text;
  if (nesting > NESTING_LIMIT) return '';
  const members = redactMembers(text, nesting);
  const anywhere = members.replace(NAME_AND_VALUE, (_, name: string, quote = '') => `${name}${quote}${quote}`);
  return anywhere === members || isJson(text) ? members : anywhere;
}

/** Walks the quoted strings of a text, which need not be JSON. Recurses only into strings within strings. */
function redactMembers(text: string, nesting: number): string {
  let out = '';
  let copied = 0; // everything before is in `out`
  for (let open = text.indexOf('"'); open >= 0; open = text.indexOf('"', copied)) {
    const close = endOfString(text, open);
    if (close < 0) break;
    const token = text.slice(open, close + 1);
    const content = contentOf(token);
    out += text.slice(copied, open);
    const valueFrom = SECRET_KEY.test(content) ? afterColon(text, close + 1) : -1;
    if (valueFrom >= 0) {
      out += `${text.slice(open, valueFrom)}""`;
      copied = endOfValue(text, valueFrom);
    } else {
      const redacted = redactText(content, nesting + 1);
      out += redacted === content ? token : JSON.stringify(redacted);
      copied = close + 1;
    }
  }
  return out + text.slice(copied);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
    return true;
  } catch {
    return false;
  }
}

function contentOf(token: string): string {
  if (!token.includes('\\')) return token.slice(1, -1);
  try {
    return JSON.parse(token) as string;
  } catch {
    return token.slice(1, -1);
  }
}

function afterColon(text: string, from: number): number {
  const colon = skipSpace(text, from);
  return text[colon] === ':' ? skipSpace(text, colon + 1) : -1;
}

/** Where a JSON value ends; the end of the text when it does not. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      i = endOfString(text, i);
      if (i < 0) return text.length;
      if (depth === 0) return i + 1;
    } else if (character === '{' || character === '[') {
      depth++;
    } else if (character === '}' || character === ']') {
      if (depth === 0) return i;
      if (--depth === 0) return i + 1;
    } else if (depth === 0 && (character === ',' || character === '\n')) {
      return i;
    }
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let i = from;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++;
  return i;
}
