import type { ChangeLogReader, LogPlace, PlacedChange } from '../../storage/change-log.reader.js';
import { changeFrame } from './frames.js';
import { isSelected, type Selection } from './selection.js';

/** Stretches that are kept for readers that are about to want them: those near the head all want the same. */
const KEPT = 8;

/** Some changes, each with its frame, and the place behind them. */
export interface FramedStretch {
  readonly changes: readonly { readonly change: PlacedChange; readonly frame: string }[];
  readonly end: LogPlace;
  /** The devices that a filter means, by the filter's text. */
  readonly meant: Map<string, Promise<ReadonlySet<number>>>;
}

/**
 * Stretches of the log as frames. Each is read once, whoever and however many want it at that time, and one after the other, so
 * that readers far behind do not keep the database from other questions.
 */
export class Stretches {
  private readonly kept = new Map<string, Promise<FramedStretch>>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly reader: ChangeLogReader) {}

  /** @throws LostPlace */
  async after(epoch: string, place: LogPlace, until: LogPlace): Promise<FramedStretch> {
    const key = `${epoch} ${place.seq} ${place.index}`;
    const known = this.kept.get(key);
    if (known) return known;
    const read = this.inTurn(() => this.read(epoch, place, until));
    this.kept.set(key, read);
    const [oldest] = this.kept.keys();
    if (this.kept.size > KEPT && oldest !== undefined) this.kept.delete(oldest);
    read.catch(() => this.kept.delete(key));
    return read;
  }

  /** The frames of what a reader wants. */
  async select(stretch: FramedStretch, selection: Selection): Promise<string[]> {
    const selected = stretch.changes.filter(({ change }) => isSelected(selection, change));
    const { filter } = selection;
    if (filter === null || selected.length === 0) return selected.map(({ frame }) => frame);
    let meant = stretch.meant.get(filter.text);
    if (meant === undefined) {
      const devices = new Set(stretch.changes.flatMap(({ change }) => change.deviceId ?? []));
      meant = this.inTurn(() => this.reader.matching(filter.expression, [...devices]));
      stretch.meant.set(filter.text, meant);
      meant.catch(() => stretch.meant.delete(filter.text));
    }
    const devices = await meant;
    return selected
      .filter(({ change }) => change.deviceId !== null && devices.has(change.deviceId))
      .map(({ frame }) => frame);
  }

  private async read(epoch: string, place: LogPlace, until: LogPlace): Promise<FramedStretch> {
    const { changes, end } = await this.reader.read(epoch, place, until);
    return {
      changes: changes.map((change) => ({ change, frame: changeFrame(epoch, change) })),
      end,
      meant: new Map(),
    };
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(work, work);
    this.turn = turn.catch(() => undefined);
    return turn;
  }
}
