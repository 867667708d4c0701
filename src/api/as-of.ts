import { HttpException, Injectable } from '@nestjs/common';
import { AsOfReader, BeforeKept, type FleetThen } from '../storage/as-of.reader.js';
import type { DeviceView, PropertyView, StatusView } from '../storage/device.reader.js';
import { Cursors } from './cursor.js';
import { type DeviceParams, ofDevice } from './device-params.js';
import { DevicesQuery, namesLifecycle } from './devices.queries.js';
import { parseFilter } from './filter/parse-filter.js';
import type { ListAnswer } from './list-answer.js';
import { BadParameters, type ProblemDocument } from './problem.js';

/** The answer is beyond what is kept; the problem names the oldest moment that can be asked about. */
export class BeyondHistory extends HttpException {
  constructor(at: Date, oldest: Date) {
    super(
      {
        type: 'urn:living-mirror:problem:beyond-history',
        title: 'Beyond what is kept',
        status: 410,
        detail: `at: ${at.toISOString()} is older than what is kept; the oldest moment that can be asked about is ${oldest.toISOString()}`,
      } satisfies ProblemDocument,
      410,
    );
  }
}

const cursors = new Cursors('devices as of', 'text', 'text');
const LIST_TAKES = new Set(['at', 'productKey', 'deleted', 'filter', 'fields', 'limit', 'cursor']);

/** Devices as they were at a moment, for the controllers whose routes take `at`. */
@Injectable()
export class AsOf {
  constructor(private readonly reader: AsOfReader) {}

  async one(params: DeviceParams, at: Date): Promise<DeviceView> {
    return asked(at, () => ofDevice(params, (reference) => this.reader.find(reference, at)));
  }

  async status(params: DeviceParams, at: Date): Promise<StatusView> {
    return asked(at, () => ofDevice(params, (reference) => this.reader.status(reference, at)));
  }

  async properties(
    params: DeviceParams,
    at: Date,
    identifier?: string,
  ): Promise<readonly (PropertyView & { readonly identifier: string })[]> {
    return asked(at, () => ofDevice(params, (reference) => this.reader.properties(reference, at, identifier)));
  }

  async list(query: DevicesQuery, at: Date): Promise<ListAnswer<DeviceView>> {
    refuseForeign(query);
    const { productKey, deleted, filter: text, limit, cursor } = query;
    const filter = text === undefined ? null : parseFilter(text);
    const fleet: FleetThen = {
      deleted: deleted || (filter !== null && namesLifecycle(filter)),
      filter,
      ...(productKey !== undefined && { productKey }),
    };
    const question = [at, productKey, deleted, text];
    const page = { limit, after: cursors.read(question, cursor) };
    const { items, next } = await asked(at, () => this.reader.list(fleet, at, page));
    return { items, next: cursors.write(question, next) };
  }
}

/** Another time has no indexes to sort or to search by. */
function refuseForeign(query: DevicesQuery): void {
  const usual = new Map<string, unknown>(Object.entries(new DevicesQuery()));
  const foreign = Object.entries(query).filter(
    ([name, value]) => value !== undefined && !LIST_TAKES.has(name) && value !== usual.get(name),
  );
  if (foreign.length === 0) return;
  const detail =
    'cannot be given together with `at`: the list is then by productKey and deviceName, and `filter` asks for anything';
  throw new BadParameters(foreign.map(([parameter]) => ({ parameter, detail })));
}

async function asked<T>(at: Date, ask: () => Promise<T>): Promise<T> {
  if (at.getTime() > Date.now()) {
    throw new BadParameters([{ parameter: 'at', detail: 'must not lie in the future; leave it out to ask about now' }]);
  }
  try {
    return await ask();
  } catch (error) {
    throw error instanceof BeforeKept ? new BeyondHistory(at, error.oldest) : error;
  }
}
