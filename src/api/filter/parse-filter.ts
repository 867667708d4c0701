import type { FilterExpression } from '../../domain/filter-expression.js';
import { BadParameters } from '../problem.js';
import { checkedFilter } from './check-filter.js';
import { FilterFault, readFilter } from './filter-grammar.js';

/** Longest filter that is read, in characters. */
const MAX_CHARS = 4_000;

/** How many parentheses may be open at once: the parser calls itself for each. */
const MAX_DEPTH = 20;

/**
 * Reads a condition on devices, such as `online eq true and state.temperature gt 30` (docs/filters.md).
 * @throws BadParameters naming `parameter` and the column
 */
export function parseFilter(text: string, parameter = 'filter'): FilterExpression {
  try {
    refuseExcess(text);
    return checkedFilter(readFilter(text));
  } catch (error) {
    if (!(error instanceof FilterFault)) throw error;
    const column = [...text.slice(0, error.offset)].length + 1;
    throw new BadParameters([{ parameter, detail: `column ${column}: ${error.message}`, column }]);
  }
}

const PARENTHESES = /"(?:[^"\\]|\\.)*"?|[()]/gs;

function refuseExcess(text: string): void {
  if (text.length > MAX_CHARS) {
    throw new FilterFault(`a filter has at most ${MAX_CHARS} characters, this one ${text.length}`, MAX_CHARS);
  }
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(PARENTHESES)) {
    if (token === ')') depth -= 1;
    else if (token === '(' && ++depth > MAX_DEPTH) {
      throw new FilterFault(`parentheses go at most ${MAX_DEPTH} deep`, index);
    }
  }
}
