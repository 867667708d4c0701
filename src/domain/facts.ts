import type { DeviceEvent, PropertiesReported } from './device-event.js';

/**
 * How much an event tells, in facts: about what it costs to hand it over, to plan it and to write it. A report is as many as it
 * has readings, and whatever lists something as many as its list is long.
 */
export function factsOf(event: DeviceEvent): number {
  if ('readings' in event) return event.readings.length;
  if ('tags' in event) return 1 + event.tags.length;
  if ('subDevices' in event) return 1 + event.subDevices.length;
  return 1;
}

/** How much several events tell together. */
export function sumOfFacts(events: readonly DeviceEvent[]): number {
  let facts = 0;
  for (const event of events) facts += factsOf(event);
  return facts;
}

/**
 * The same events in slices of no more than `size` facts. A report goes into several where it must: readings are facts each for
 * itself. No other event is cut, so that a single long list is a slice of its own.
 */
export function inSlices(events: readonly DeviceEvent[], size: number): readonly (readonly DeviceEvent[])[] {
  const slices: DeviceEvent[][] = [];
  let slice: DeviceEvent[] = [];
  let facts = 0;
  const close = (): void => {
    if (slice.length > 0) slices.push(slice);
    slice = [];
    facts = 0;
  };
  for (const event of events) {
    for (const piece of event.kind === 'properties-reported' ? reportsOf(event, size) : [event]) {
      const more = factsOf(piece);
      if (facts + more > size) close();
      slice.push(piece);
      facts += more;
    }
  }
  close();
  return slices;
}

/** A report as several of at most `size` readings. */
export function reportsOf(report: PropertiesReported, size: number): readonly PropertiesReported[] {
  if (report.readings.length <= size) return [report];
  const reports: PropertiesReported[] = [];
  for (let from = 0; from < report.readings.length; from += size) {
    reports.push({ ...report, readings: report.readings.slice(from, from + size) });
  }
  return reports;
}
