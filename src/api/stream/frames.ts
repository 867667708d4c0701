import type { PlacedChange } from '../../storage/change-log.reader.js';
import { exactJson } from '../exact-json.js';
import type { ProblemDocument } from '../problem.js';
import { eventId, type StreamPosition } from './event-id.js';

/** A change as server-sent event. More events of the same pointer follow one without an id: whoever is cut off between gets all again. */
export function changeFrame(epoch: string, { kind, place, data }: PlacedChange): string {
  const id = place ? `id: ${eventId({ epoch, place })}\n` : '';
  return `${id}event: ${kind}\ndata: ${exactJson(data)}\n\n`;
}

/** No event for the reader, but an id to resume from: a narrow filter does not make it go through everything again. */
export function progressFrame(position: StreamPosition, comment: string): string {
  return `: ${comment}\nid: ${eventId(position)}\n\n`;
}

/** The first words: how soon to come back (in milliseconds) after the connection was lost. */
export function retryFrame(retryMs: number): string {
  return `retry: ${retryMs}\n\n`;
}

/** The last words to a reader whose place was dropped: it has no id, so coming back with the last one is refused with the same words. */
export function gapFrame(problem: ProblemDocument): string {
  return `event: gap\ndata: ${exactJson(problem)}\n\n`;
}
