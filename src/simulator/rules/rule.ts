/** A rule in the SQL form (protocol 11). */
export interface SqlRuleDescription {
  readonly name: string;
  /** Of the Enterprise instance whose messages it looks at. */
  readonly instanceId: string;
  readonly sql: string;
  /** Consumer groups of the instance. */
  readonly to: readonly string[];
  /** Consumer group that is told of failures. */
  readonly onError: string | null;
}

/** Where a parser may write to. */
export type Destination =
  | { readonly id: number; readonly group: string }
  /** Topics of one product's devices, for `writeIotTopic`. */
  | { readonly id: number; readonly product: string };

/** A rule in the newer form: a parser with its data source, script and destinations. */
export interface ParserDescription {
  readonly name: string;
  readonly instanceId: string;
  readonly topics: readonly string[];
  readonly script: { readonly file: string; readonly source: string };
  readonly destinations: readonly Destination[];
  readonly onError: string | null;
}

export type RuleDescription = SqlRuleDescription | ParserDescription;

/** A rule cannot be. `part` is what is wrong of it, as in a world file. */
export class BadRule extends Error {
  override readonly name = 'BadRule';

  constructor(
    readonly part: readonly (string | number)[],
    text: string,
  ) {
    super(text);
  }
}
