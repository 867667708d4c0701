/** A topic as a rule names it cannot be one. The message says why. */
export class BadTopic extends Error {
  override readonly name = 'BadTopic';
}

/**
 * Levels of a topic that a rule listens to: `+` is any one level, `#` at the end any number of them. Model data is named as
 * the device publishes it, `/sys/{pk}/{dn}/…`, and forwarded without `/sys`; here is neither (protocol 6, 11).
 * Throws `BadTopic`.
 */
export function topicLevels(filter: string): readonly string[] {
  if (!filter.startsWith('/')) throw new BadTopic(`the topic ${JSON.stringify(filter)} does not begin with /`);
  if (filter.length > 256) throw new BadTopic('the topic is longer than 256 characters');
  const levels = withoutSys(filter.split('/').slice(1));
  for (const [index, level] of levels.entries()) {
    if (level === '') throw new BadTopic(`the topic ${JSON.stringify(filter)} has an empty level`);
    if (level === '#' && index < levels.length - 1)
      throw new BadTopic('# stands for all further levels: only at the end');
    if (level.length > 1 && /[+#]/.test(level)) throw new BadTopic(`${level}: + and # stand for whole levels`);
  }
  return levels;
}

interface Node<T> {
  readonly below: Map<string, Node<T>>;
  readonly here: T[];
  /** Those that end in `#`. */
  readonly deeper: T[];
}

/** Finds what listens to a topic in a number of steps that depends on the topic alone, not on how many listen. */
export class TopicIndex<T> {
  private readonly root: Node<T> = node();

  add(levels: readonly string[], value: T): void {
    let at = this.root;
    for (const level of levels) {
      if (level === '#') {
        at.deeper.push(value);
        return;
      }
      let next = at.below.get(level);
      if (!next) at.below.set(level, (next = node()));
      at = next;
    }
    at.here.push(value);
  }

  /** Each value once, in the order in which they were added under one filter. */
  find(topic: string): T[] {
    if (this.root.below.size === 0 && this.root.deeper.length === 0) return [];
    const found: T[] = [];
    collect(this.root, withoutSys(topic.split('/').slice(1)), 0, found);
    return found.length < 2 ? found : [...new Set(found)];
  }
}

function collect<T>(at: Node<T>, levels: readonly string[], depth: number, found: T[]): void {
  // Like in MQTT, `a/#` is `a` too.
  found.push(...at.deeper);
  const level = levels[depth];
  if (level === undefined) {
    found.push(...at.here);
    return;
  }
  const exact = at.below.get(level);
  if (exact) collect(exact, levels, depth + 1, found);
  const any = at.below.get('+');
  if (any) collect(any, levels, depth + 1, found);
}

const node = <T>(): Node<T> => ({ below: new Map(), here: [], deeper: [] });
const withoutSys = (levels: string[]): string[] => (levels[0] === 'sys' ? levels.slice(1) : levels);
