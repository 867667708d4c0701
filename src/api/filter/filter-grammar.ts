import peggy from 'peggy';

/** A filter as it was written, before anybody asked whether it makes sense. Offsets count UTF-16 units from its begin. */
export type WrittenFilter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly WrittenFilter[] }
  | { readonly kind: 'not'; readonly part: WrittenFilter }
  | { readonly kind: 'exists'; readonly field: WrittenField }
  | WrittenCondition;

/** A field, an operator (in small letters) and one value, or several after `in`. */
export interface WrittenCondition {
  readonly kind: 'condition';
  readonly field: WrittenField;
  readonly operator: string;
  readonly offset: number;
  readonly values: readonly WrittenValue[];
}

/** `tags.floor` is the word `tags` with one step. */
export interface WrittenField {
  readonly word: string;
  readonly offset: number;
  readonly steps: readonly { readonly name: string; readonly offset: number }[];
}

export interface WrittenValue {
  readonly type: 'text' | 'number' | 'boolean' | 'null';
  /** What a text says; of anything else, how it was written. */
  readonly text: string;
  readonly offset: number;
}

/** Something is wrong at a place of a filter. */
export class FilterFault extends Error {
  override readonly name = 'FilterFault';

  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

// Named rules are what a mistake is told to have been expected instead.
const GRAMMAR = String.raw`
{{
  const joined = (kind, head, tail) => (tail.length === 0 ? head : { kind, parts: [head, ...tail] });
}}

Filter = _ @Or _
Or = head:And tail:(_ "or"i !Letter _ @And)* { return joined('or', head, tail); }
And = head:Not tail:(_ "and"i !Letter _ @Not)* { return joined('and', head, tail); }
Not = nots:("not"i !Letter _)* part:Primary { return nots.length % 2 === 1 ? { kind: 'not', part } : part; }
Primary
  = "(" _ @Or _ ")"
  / "exists"i !Letter _ field:("(" _ @Field _ ")" / Field) { return { kind: 'exists', field }; }
  / Condition

Condition
  = field:Field _ "in"i !Letter _ "(" _ values:Values _ ")" { return { kind: 'condition', field, operator: 'in', offset: offset(), values }; }
  / field:Field _ operator:Operator _ value:Value { return { kind: 'condition', field, ...operator, values: [value] }; }
Values = head:Value tail:(_ "," _ @Value)* { return [head, ...tail]; }

Field = word:Word steps:(_ @Step)* { return { ...word, steps }; }
Word "a field" = !Keyword word:$(Letter+) { return { word, offset: offset() }; }
Step
  = "." _ name:Name { return { name, offset: offset() }; }
  / "[" _ text:Text _ "]" { return { name: text.text, offset: offset() }; }
Name "a name" = $(Letter+)

Operator "an operator (eq, ne, gt, ge, lt, le, in, contains, startsWith, endsWith)"
  = operator:("eq"i / "ne"i / "gt"i / "ge"i / "lt"i / "le"i / "contains"i / "startsWith"i / "endsWith"i) !Letter
  { return { operator: operator.toLowerCase(), offset: offset() }; }
Keyword = ("and"i / "or"i / "not"i / "exists"i / "in"i / "eq"i / "ne"i / "gt"i / "ge"i / "lt"i / "le"i / "contains"i / "startsWith"i / "endsWith"i) !Letter

Value = Text / Number / Constant
Text = Open parts:Character* Close { return { type: 'text', text: parts.join(''), offset: offset() }; }
Open "text in double quotes" = '"'
Close "the closing double quote" = '"'
Character "a character of JSON text"
  = [^"\\\x00-\x1f]+ { return text(); }
  / "\\" @Escaped
Escaped
  = ["\\/]
  / "b" { return '\b'; } / "f" { return '\f'; } / "n" { return '\n'; } / "r" { return '\r'; } / "t" { return '\t'; }
  / "u" digits:$[0-9a-fA-F]|4| { return String.fromCharCode(parseInt(digits, 16)); }
Number "a number" = text:$("-"? ("0" / [1-9] [0-9]*) ("." [0-9]+)? ([eE] [+-]? [0-9]+)?) !Letter
  { return { type: 'number', text, offset: offset() }; }
Constant "true, false or null" = text:("true" / "false" / "null") !Letter
  { return { type: text === 'null' ? 'null' : 'boolean', text, offset: offset() }; }

// A colon joins a module and its property.
Letter = [\p{L}\p{N}_:-]u
_ "a space" = [ \t\r\n]*
`;

let parser: peggy.Parser | null = null;

/** @throws FilterFault */
export function readFilter(text: string): WrittenFilter {
  parser ??= peggy.generate(GRAMMAR, { cache: true });
  try {
    return parser.parse(text) as WrittenFilter;
  } catch (error) {
    if (!(error instanceof parser.SyntaxError)) throw error;
    const { offset } = error.location.start;
    throw new FilterFault(`expected ${expectations(error.expected)}, found ${found(text, offset)}`, offset);
  }
}

function expectations(expected: readonly peggy.parser.Expectation[] | null): string {
  const names = new Set((expected ?? []).map(nameOf));
  const sorted = [...names].sort();
  const last = sorted.pop() ?? 'something else';
  return sorted.length === 0 ? last : `${sorted.join(', ')} or ${last}`;
}

function nameOf(expected: peggy.parser.Expectation): string {
  switch (expected.type) {
    case 'literal':
      return expected.text;
    case 'other':
      return expected.description;
    case 'end':
      return 'the end';
    case 'any':
    case 'class':
      return 'another character';
    default:
      expected satisfies never;
      return '';
  }
}

const SHOWN = 20;

function found(text: string, offset: number): string {
  const rest = text.slice(offset);
  if (rest === '') return 'the end';
  const word = /^(?:[\p{L}\p{N}_:-]+|.)/su.exec(rest)?.[0] ?? '';
  return word.length > SHOWN ? `${[...word].slice(0, SHOWN).join('')}…` : word;
}
