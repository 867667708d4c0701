import { readFileSync } from 'node:fs';
import { isNode, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { z } from 'zod';

/** A file that people write (a world, a scenario, a thing model) is wrong. The message names file, line and what to do. */
export class BadDescription extends Error {
  override readonly name = 'BadDescription';
}

/** Where in a description file a value stands, to tell people about it later. */
export type Path = readonly (string | number)[];

/** A description as it was read, with the lines that its parts came from. */
export class Description<T> {
  constructor(
    readonly value: T,
    private readonly file: string,
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  /** An error about the part at `path`: `file:line: text`. */
  wrong(path: Path, text: string): BadDescription {
    return wrong(this.file, this.document, this.lines, path, text);
  }
}

/** Largest file that is read, in bytes. */
const MAX_BYTES = 4 * 1_024 * 1_024;

/**
 * Reads a YAML or JSON file (JSON is YAML too) and checks it. Throws `BadDescription` with the first problem in the order of
 * lines, as `file:line: what is wrong`.
 */
export function readDescription<S extends z.ZodType>(file: string, schema: S): Description<z.infer<S>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new BadDescription(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
  return parseDescription(file, text, schema);
}

/** The same from text; `file` is named in errors. */
export function parseDescription<S extends z.ZodType>(file: string, text: string, schema: S): Description<z.infer<S>> {
  if (Buffer.byteLength(text) > MAX_BYTES) throw new BadDescription(`${file}: is larger than ${MAX_BYTES} bytes`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax) throw new BadDescription(`${file}:${lines.linePos(syntax.pos[0]).line}: ${syntax.message}`);
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new BadDescription(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const checked = schema.safeParse(plain);
  if (checked.success) return new Description(checked.data, file, document, lines);
  const problems = checked.error.issues.map((issue) => {
    const { path, message } = issue;
    const text = `${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`;
    // A name that is not known is wrong where it stands, not where its surroundings begin.
    const at = issue.code === 'unrecognized_keys' ? [...path, ...issue.keys.slice(0, 1)] : path;
    return wrong(file, document, lines, at as Path, text);
  });
  throw problems.sort((a, b) => lineOf(a) - lineOf(b))[0] ?? new BadDescription(`${file}: is not valid`);
}

function wrong(file: string, document: Document, lines: LineCounter, path: Path, text: string): BadDescription {
  const line = lines.linePos(nearest(document, path)?.range?.[0] ?? 0).line || 1;
  return new BadDescription(`${file}:${line}: ${text}`);
}

/** The node at a path, or the innermost one on the way to it where something is missing. */
function nearest(document: Document, path: Path): Node | null {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node;
  }
  return document.contents;
}

const lineOf = ({ message }: BadDescription): number => Number(/:(\d+): /.exec(message)?.[1] ?? 0);
