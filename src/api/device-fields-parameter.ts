import { ALL_FIELDS, DEVICE_FIELDS, type DeviceField, type DeviceFields } from '../storage/device-fields.js';
import { BadParameters } from './problem.js';

/** As many fields as anybody may name. */
const MOST_FIELDS = 100;

const ITEM = /\s*([A-Za-z]*)(?:\.([\p{L}\p{N}_:-]+)|\[("(?:[^"\\]|\\.)*")\])?\s*(,|$)/uy;

/**
 * The fields that a request names: `productKey,online,tags.room,properties["any:identifier"]`; all of them where it names none.
 * @throws BadParameters naming `fields`
 */
export function deviceFields(text: string | undefined): DeviceFields {
  if (text === undefined) return ALL_FIELDS;
  const items = itemsOf(text);
  if (items.length > MOST_FIELDS) throw badFields(1, `names ${items.length} fields: at most ${MOST_FIELDS}`);
  const inside = (field: DeviceField): readonly string[] | null => {
    const members = items.filter((item) => item.field === field).map(({ member }) => member);
    return members.includes(null) ? null : members.filter((member) => member !== null);
  };
  return {
    names: new Set(items.map(({ field }) => field)),
    tags: inside('tags'),
    properties: inside('properties'),
  };
}

interface Item {
  readonly field: DeviceField;
  readonly member: string | null;
}

function itemsOf(text: string): readonly Item[] {
  const items: Item[] = [];
  let at = 0;
  for (;;) {
    ITEM.lastIndex = at;
    const match = ITEM.exec(text);
    const column = [...text.slice(0, at)].length + 1;
    if (!match)
      throw badFields(column, 'must be names separated by commas, such as online,tags.room,properties["a:b"]');
    const [{ length }, name = '', plain, quoted, comma] = match;
    items.push(itemOf(name, plain ?? (quoted === undefined ? null : unquoted(quoted, column)), column));
    at += length;
    if (comma !== ',') return items;
  }
}

function itemOf(name: string, member: string | null, column: number): Item {
  const field = DEVICE_FIELDS.find((each) => each === name);
  if (!field) throw badFields(column, `${JSON.stringify(name)} is not a field: use ${DEVICE_FIELDS.join(', ')}`);
  if (member !== null && field !== 'tags' && field !== 'properties') {
    throw badFields(column, `nothing inside of ${field} can be asked for: only of tags and properties`);
  }
  return { field, member };
}

function unquoted(quoted: string, column: number): string {
  let name: string;
  try {
    name = JSON.parse(quoted) as string;
  } catch {
    throw badFields(column, 'has a name in double quotes that is not JSON text');
  }
  if (name.includes('\0') || /\p{Surrogate}/u.test(name)) {
    throw badFields(column, 'has a name with a NUL character or half of a surrogate pair');
  }
  return name;
}

function badFields(column: number, detail: string): BadParameters {
  return new BadParameters([{ parameter: 'fields', detail: `column ${column}: ${detail}`, column }]);
}
