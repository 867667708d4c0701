import type { LogPlace } from '../../storage/change-log.reader.js';

/** So much of a log's name goes into every id. */
const EPOCH_LENGTH = 8;
const ID = /^([0-9a-f]{8})\.([0-9a-z]{1,10})\.([0-9a-z]{1,11})\.([0-9a-z]{1,6})$/;

/** What an id says: the beginning of the log's name, and the place in it. */
export interface StreamPosition {
  readonly epoch: string;
  readonly place: LogPlace;
}

/** The id of an event: the place behind it. Short, since each event carries one. */
export function eventId({ epoch, place: { seq, mark, index } }: StreamPosition): string {
  return [epoch.slice(0, EPOCH_LENGTH), ...[seq, mark, index].map((number) => number.toString(36))].join('.');
}

/** Null when it is no id of ours. */
export function readEventId(id: string): StreamPosition | null {
  const [, epoch, ...numbers] = ID.exec(id) ?? [];
  const [seq, mark, index] = numbers.map((number) => parseInt(number, 36));
  if (epoch === undefined || seq === undefined || mark === undefined || index === undefined) return null;
  return [seq, mark, index].every(Number.isSafeInteger) ? { epoch, place: { seq, mark, index } } : null;
}
