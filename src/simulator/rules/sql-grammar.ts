import peggy from 'peggy';

/** An expression of a rule, as it was parsed. Offsets count characters from the begin of the statement. */
export type SqlExpression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null; readonly digits?: string }
  | { readonly kind: 'path'; readonly steps: readonly (string | number)[]; readonly list: boolean }
  | { readonly kind: 'star' }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly SqlExpression[]; readonly offset: number }
  | { readonly kind: 'not' | 'negative'; readonly of: SqlExpression }
  | {
      readonly kind: 'binary';
      readonly operator: 'or' | 'and' | '=' | '<>' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%';
      readonly left: SqlExpression;
      readonly right: SqlExpression;
    }
  | { readonly kind: 'like'; readonly of: SqlExpression; readonly pattern: SqlExpression }
  | { readonly kind: 'in'; readonly of: SqlExpression; readonly among: readonly SqlExpression[] }
  | { readonly kind: 'null'; readonly of: SqlExpression }
  | {
      readonly kind: 'case';
      /** Null for `CASE WHEN condition`. */
      readonly of: SqlExpression | null;
      readonly branches: readonly { readonly when: SqlExpression; readonly then: SqlExpression }[];
      readonly otherwise: SqlExpression | null;
    };

export interface SqlField {
  readonly expression: SqlExpression;
  /** What was written after AS, or else the expression itself. */
  readonly name: string;
  readonly offset: number;
}

export interface SqlStatement {
  readonly fields: readonly SqlField[];
  readonly topic: string;
  readonly topicOffset: number;
  readonly where: SqlExpression | null;
}

/** A statement cannot be read. */
export class BadSql extends Error {
  override readonly name = 'BadSql';

  constructor(
    text: string,
    /** Both count from 1. */
    readonly line: number,
    readonly column: number,
  ) {
    super(`${line > 1 ? `line ${line}, ` : ''}column ${column}: ${text}`);
  }
}

/** Longest statement that is read, in characters. */
const MAX_CHARS = 10_000;

// `SELECT <fields> FROM "<topic>" WHERE <condition>`. Single quotes are constants; double quotes, or none, are fields of
// the payload (JSONPath in double quotes). Keywords in any case.
const GRAMMAR = String.raw`
{{
  const binary = (head, tail) => tail.reduce((left, [, operator, , right]) => ({ kind: 'binary', operator, left, right }), head);
  const negated = (not, expression) => (not ? { kind: 'not', of: expression } : expression);
}}

Statement = _ "SELECT"i !Letter _ fields:Fields _ "FROM"i !Letter _ topic:Topic where:(_ "WHERE"i !Letter _ @Expression)? _ ";"? _
  { return { fields, ...topic, where }; }

Fields = head:Field tail:(_ "," _ @Field)* { return [head, ...tail]; }
Field
  = "*" { return { expression: { kind: 'star' }, name: '*', offset: offset() }; }
  / written:Written alias:(_ "AS"i !Letter _ @Name)? { return { expression: written.expression, name: alias ?? written.text, offset: offset() }; }
Written = expression:Expression { return { expression, text: text().trim().replace(/^"(.*)"$/s, '$1') }; }

Topic "a topic"
  = '"' name:$[^"]* '"' { return { topic: name, topicOffset: offset() }; }
  / "'" name:$[^']* "'" { return { topic: name, topicOffset: offset() }; }
  / name:$("/" [^ \t\r\n;]*) { return { topic: name, topicOffset: offset() }; }

Expression = Or
Or = head:And tail:(_ Or_ _ And)* { return binary(head, tail); }
And = head:Not tail:(_ And_ _ Not)* { return binary(head, tail); }
Not = "NOT"i !Letter _ of:Not { return { kind: 'not', of }; } / Comparison
Comparison
  = of:Sum rest:(_ @Rest)? { return rest ? rest(of) : of; }
Rest
  = operator:Comparator _ right:Sum { return (left) => ({ kind: 'binary', operator, left, right }); }
  / not:Negation? "LIKE"i !Letter _ pattern:Sum { return (of) => negated(not, { kind: 'like', of, pattern }); }
  / not:Negation? "IN"i !Letter _ "(" _ among:Arguments _ ")" { return (of) => negated(not, { kind: 'in', of, among }); }
  / not:Negation? "BETWEEN"i !Letter _ low:Sum _ "AND"i !Letter _ high:Sum
    { return (of) => negated(not, { kind: 'binary', operator: 'and',
        left: { kind: 'binary', operator: '>=', left: of, right: low },
        right: { kind: 'binary', operator: '<=', left: of, right: high } }); }
  / "IS"i !Letter not:(_ "NOT"i !Letter)? _ "NULL"i !Letter { return (of) => negated(not, { kind: 'null', of }); }
Negation = "NOT"i !Letter _
Sum = head:Product tail:(_ ("+" / "-") _ Product)* { return binary(head, tail); }
Product = head:Unary tail:(_ ("*" / "/" / "%") _ Unary)* { return binary(head, tail); }
Unary = "-" _ of:Unary { return { kind: 'negative', of }; } / Primary

Primary "a value"
  = "(" _ @Expression _ ")"
  / Case
  / Number
  / value:Constant { return { kind: 'literal', value }; }
  / '"' @Quoted '"'
  / word:("TRUE"i / "FALSE"i / "NULL"i) !Letter { return { kind: 'literal', value: JSON.parse(word.toLowerCase()) }; }
  / name:Function "(" _ args:(@Arguments _)? ")" { return { kind: 'call', name, args: args ?? [], offset: offset() }; }
  / !Keyword @Path

Arguments = head:Argument tail:(_ "," _ @Argument)* { return [head, ...tail]; }
Argument = "*" { return { kind: 'star' }; } / Expression

Case = "CASE"i !Letter _ of:(!("WHEN"i !Letter) @Expression _)? branches:When|1..| otherwise:("ELSE"i !Letter _ @Expression _)? "END"i !Letter
  { return { kind: 'case', of, branches, otherwise }; }
When = "WHEN"i !Letter _ when:Expression _ "THEN"i !Letter _ then:Expression _ { return { when, then }; }

Number "a number" = digits:$([0-9]+ ("." [0-9]+)? ([eE] [+-]? [0-9]+)?) ending:$Letter*
  { if (ending !== '') error(digits + ending + ': names that begin with a digit cannot be addressed');
    return { kind: 'literal', value: Number(digits), digits }; }
Constant "text" = "'" parts:Character* "'" { return parts.join(''); }
Character = "\\" @['"\\] / "''" { return "'"; } / @[^']

Quoted "a field" = list:("$." { return false; } / "." { return true; })? path:Path { return { ...path, list: list ?? false }; }
Path "a field" = head:Name tail:("." @Name / "[" _ @Index _ "]")* { return { kind: 'path', steps: [head, ...tail], list: false }; }
Index = digits:$[0-9]|1..6| { return Number(digits); }
Name "a name" = Digits / $(Letter+)
Digits = digits:$([0-9] Letter*) { error(digits + ': names that begin with a digit cannot be addressed'); }
Function = $(Letter+)

Or_ = "OR"i !Letter { return 'or'; }
And_ = "AND"i !Letter { return 'and'; }
Comparator = ("<=" / ">=" / "<>" / "!=" { return '<>'; } / "=" / "<" / ">")
Keyword = ("SELECT"i / "FROM"i / "WHERE"i / "AS"i / "AND"i / "OR"i / "NOT"i / "LIKE"i / "IN"i / "BETWEEN"i / "IS"i / "CASE"i / "WHEN"i / "THEN"i / "ELSE"i / "END"i) !Letter
// A colon joins a module and its property.
Letter = [\p{L}\p{N}_:]u
_ "a space" = [ \t\r\n]*
`;

let parser: peggy.Parser | null = null;

/** Reads a statement. Throws `BadSql`, which names the column. */
export function parseSql(text: string): SqlStatement {
  if (text.length > MAX_CHARS) throw new BadSql(`the statement is longer than ${MAX_CHARS} characters`, 1, 1);
  parser ??= peggy.generate(GRAMMAR, { cache: true });
  try {
    return parser.parse(text) as SqlStatement;
  } catch (error) {
    // The parser calls itself for each level, until the stack is used up.
    if (error instanceof RangeError) throw new BadSql('nested too deep', 1, 1);
    if (!(error instanceof parser.SyntaxError)) throw error;
    const { line, column } = error.location.start;
    throw new BadSql(error.message, line, column);
  }
}
