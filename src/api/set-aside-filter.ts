import { SERVICE_VERSION } from '../config/service-version.js';
import type { SetAsideFilter } from '../domain/set-aside-filter.js';
import { deviceKeyOf } from './device-params.js';
import { BadParameters } from './problem.js';
import { rangeOf, type SetAsideFilterQuery } from './queries.js';

/**
 * The messages that a request means.
 * @throws BadParameters when parameters contradict each other
 */
export function setAsideFilterOf(query: SetAsideFilterQuery): SetAsideFilter {
  const { reason, kind, productKey, topic, topicPrefix, replayed, refusedBy, outdated } = query;
  const { from, to } = rangeOf({ from: query.from, to: query.to, order: 'desc' });
  const device = query.device === undefined ? undefined : deviceKeyOf(query.device);
  if (device === null) throw new BadParameters([{ parameter: 'device', detail: 'must be productKey:deviceName' }]);
  if (refusedBy !== undefined && outdated === false) {
    throw new BadParameters([{ parameter: 'outdated', detail: 'cannot be false together with refusedBy' }]);
  }
  return {
    reason,
    kind,
    productKey,
    device,
    topic,
    topicPrefix,
    from,
    to,
    replayed,
    refusedBy: outdated === false ? SERVICE_VERSION : refusedBy,
    notRefusedBy: outdated === true ? SERVICE_VERSION : undefined,
  };
}

/**
 * The messages that a query and a body mean together.
 * @throws BadParameters when both give the same parameter
 */
export function mergedFilterOf(query: SetAsideFilterQuery, body: SetAsideFilterQuery | undefined): SetAsideFilter {
  const [ofQuery, ofBody] = [given(query), given(body ?? {})];
  const twice = Object.keys(ofBody).filter((name) => name in ofQuery);
  if (twice.length > 0) {
    throw new BadParameters(
      twice.map((parameter) => ({ parameter, detail: 'cannot be given in the address and in the body' })),
    );
  }
  return setAsideFilterOf({ ...ofQuery, ...ofBody });
}

/** Without the fields that a request left out. */
function given(part: SetAsideFilterQuery): SetAsideFilterQuery {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined));
}

/** Whether a filter leaves nothing out. */
export function meansAll(filter: SetAsideFilter): boolean {
  return Object.values(filter).every((value) => value === undefined || value === null);
}
