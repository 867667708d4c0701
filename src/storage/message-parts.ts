import type { DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import type { DeviceEvent } from '../domain/device-event.js';
import { inSlices, sumOfFacts } from '../domain/facts.js';

/** How a batch is cut, in facts: readings and events. */
export interface PartSizes {
  /** Of one message, and of one part, no more go into a transaction; planning that takes 20 ms at most. */
  readonly part: number;
  /** Nor more of a whole batch. Batches of ordinary messages have half of that. */
  readonly batch: number;
}

export const PART_SIZES: PartSizes = { part: 2_000, batch: 20_000 };

/** A batch as it is written: what is too much for one transaction first, in parts, and then the messages themselves. */
export interface BatchInParts {
  /** Each to be written alone. These messages tell a part of what they told, and do not count as seen by it. */
  readonly early: readonly (readonly DecodedMessage[])[];
  /** All messages in their order, with what is left of them: their seen rows, outcomes and counts go with this. */
  readonly last: readonly DecodedMessage[];
}

/**
 * Cuts a batch so that no transaction has more than so many facts, nor any of one message more than a part of them. Each part may
 * be written any number of times and in any order (promises 2 and 3 make it so), and the message is seen only with the last: who
 * dies in between writes the same rows again.
 */
export function inParts(batch: readonly DecodedMessage[], sizes: PartSizes = PART_SIZES): BatchInParts {
  const early: DecodedMessage[][] = [];
  let part: DecodedMessage[] = [];
  let facts = 0;
  let left = sizes.batch;
  const add = (message: DecodedMessage, events: readonly DeviceEvent[], more: number): void => {
    if (facts + more > sizes.part && part.length > 0) {
      early.push(part);
      part = [];
      facts = 0;
    }
    part.push(telling(message, events));
    facts += more;
  };
  const cut = new Set<MessageKey>();
  const last = batch.map((message) => {
    const all = sumOfFacts(message.events);
    if (all <= Math.min(sizes.part, left)) {
      left -= all;
      return message;
    }
    if (cut.has(message.key)) return telling(message, []); // the same message twice: a duplicate, whatever it tells
    cut.add(message.key);
    let kept: readonly DeviceEvent[] = [];
    const slices = inSlices(message.events, sizes.part);
    for (const [index, events] of slices.entries()) {
      const more = sumOfFacts(events);
      if (index === slices.length - 1 && more <= left) {
        kept = events;
        left -= more;
      } else {
        add(message, events, more);
      }
    }
    return telling(message, kept);
  });
  if (part.length > 0) early.push(part);
  return early.length === 0 ? { early, last: batch } : { early, last };
}

function telling(message: DecodedMessage, events: readonly DeviceEvent[]): DecodedMessage {
  return message.refusal === null ? { ...message, events } : message;
}
