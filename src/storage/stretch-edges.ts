import type { Stretch } from '../domain/partial-aggregate.js';
import { column } from './columns.js';
import type { Parameters } from './read-columns.js';

/** SQL that tells in which of many stretches of time a reading lies. */
export interface StretchEdges {
  /** A common table expression `e`, for a WITH clause. */
  readonly cte: string;
  /** The edge before a time, counted from 1. */
  edgeAt(at: string): string;
  /** Whether the time after an edge lies in one of the stretches. */
  isInside(edge: string): string;
  /** The group of the stretch after an edge. */
  groupAfter(edge: string): string;
}

/**
 * Stretches, in order of time and none overlapping another, as the edges that `width_bucket` looks a time up in (a binary search):
 * both ends of each, once where two touch. An edge opens what lies before the next one: a stretch, or a gap between two.
 * @param groups the group of each stretch, counted from 0; its place when missing
 */
export function stretchEdges(
  parameters: Parameters,
  stretches: readonly Stretch[],
  groups?: readonly number[],
): StretchEdges {
  const edges: number[] = [];
  const groupOfEdge: (number | null)[] = [];
  for (const [index, { low, high }] of stretches.entries()) {
    if (edges.at(-1) === low) groupOfEdge.pop();
    else edges.push(low);
    groupOfEdge.push(groups?.[index] ?? index, null);
    edges.push(high);
  }
  const array = `${parameters.add(
    column(edges, (edge) => new Date(edge)),
    'text',
  )}::timestamptz[]`;
  const edgeAt = (at: string): string => `width_bucket(${at}, (SELECT e."edges" FROM e))`;
  // Without gaps an edge is its stretch, and no second list need travel.
  if (edges.length === stretches.length + 1 && !groups) {
    return {
      cte: `e AS MATERIALIZED (SELECT ${array} AS "edges")`,
      edgeAt,
      isInside: (edge) => `${edge} BETWEEN 1 AND ${stretches.length}`,
      groupAfter: (edge) => `(${edge} - 1)`,
    };
  }
  const index = `${parameters.add(
    column(groupOfEdge, (group) => group),
    'text',
  )}::int4[]`;
  const groupAfter = (edge: string): string => `(SELECT e."groups" FROM e)[${edge}]`;
  return {
    cte: `e AS MATERIALIZED (SELECT ${array} AS "edges", ${index} AS "groups")`,
    edgeAt,
    isInside: (edge) => `${groupAfter(edge)} IS NOT NULL`,
    groupAfter,
  };
}
