/** What JSON says; written down here because a comment's type cannot speak of itself. */
export type Json = null | boolean | string | JsonNumber | Json[] | JsonObject;
export type JsonObject = Map<string, Json>;
/** A number as its JSON text, and as near as a double comes. */
export interface JsonNumber {
  readonly text: string;
  readonly double: number;
}
