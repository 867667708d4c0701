import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv, type ValidateFunction } from 'ajv';
import { query } from '../../scripts/postgres/connection.mjs';
import { PresenceCounter } from '../../src/storage/presence-counter.js';
import { CHANGE_KINDS } from '../../src/storage/changed-row.views.js';
import {
  aBinding,
  after,
  aJson,
  aNumber,
  anEvent,
  anIdentity,
  aReading,
  aStatus,
  startApi,
  type TestApi,
} from '../support/api.js';
import { StreamReader } from '../support/event-stream.js';
import { aMessage } from '../support/messages.js';
import { refusedAs } from '../support/writer.js';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly schema: { readonly example?: string };
  readonly example?: string;
}

type Method = 'get' | 'post' | 'delete';

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>;
}

interface Description {
  readonly openapi: string;
  readonly paths: Record<string, Record<Method, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
}

/** The device that the examples in the description speak of. */
const LOCK = { productKey: 'a1B2c3D4e5F', deviceName: 'lock-0001' };

const EVENTS = 'text/event-stream';

describe('the OpenAPI description', () => {
  let began = 0;
  let api: TestApi;
  let description: Description;

  beforeAll(async () => {
    api = await startApi();
    began = Date.now();
    const tie = after(3);
    await api.happened(
      anIdentity(LOCK, '4z819VQHk6VSLmmBJfrf00107ee200', after(0), 'SmartDoor'),
      aStatus(LOCK, true),
      aReading(LOCK, 'CurrentTemperature', aNumber('21.5')),
      aReading(LOCK, 'CurrentTemperature', aJson('{"a": [1, null]}'), tie),
      aReading(LOCK, 'CurrentTemperature', aNumber('22'), tie),
      {
        kind: 'command-replied',
        device: LOCK,
        at: after(2),
        requestId: '1678239049931',
        byDevice: true,
        value: '{"code": 200}',
      },
      anEvent(LOCK, 'DoorOpenNotification', after(1), { requestId: '1678239049931' }),
      aBinding(LOCK, '50ebop9xxxxxxxxxxxxxxxxxxxxxxxxxxxxx7384', true, after(1)),
      { kind: 'tags-changed', device: LOCK, at: after(1), tags: [{ key: 'room', value: 'kitchen' }] },
      { kind: 'upgrade-job-changed', productKey: LOCK.productKey, at: after(70), value: '{"status": "done"}' },
    );
    const ago = (mins: number): Date => new Date(Date.now() - mins * 60_000);
    await api.happened(
      aStatus(LOCK, false, ago(2)),
      aStatus(LOCK, true, ago(1)),
      ...[180, 181, 182].map((mins) => aReading({ ...LOCK, deviceName: 'lock-0002' }, 'p', aNumber('1'), ago(mins))),
    );
    await api.app.get(PresenceCounter, { strict: false }).work();
    const raw = aMessage({ body: '{"items":', topic: '/a/b/thing/event/property/post', properties: { qos: '1' } });
    await api.write(refusedAs({ reason: 'not-json', detail: 'x' }, { key: '0123456789abcdef0123456789abcdef', raw }));
    await query(
      api.databaseUrl,
      `INSERT INTO "SetAsideReplay" ("id", "filter", "state", "requestedAt", "finishedAt", "total")
       VALUES ('4d8a3f0e-6f0b-4c6e-9a51-0d6c2f1b7e90', '{"reason": "not-json", "from": null, "to": null}', 'done', now(), now(), 0)`,
    );
    await query(
      api.databaseUrl,
      `INSERT INTO "Erasure" ("id", "hash", "key", "state", "phase", "requestedAt", "finishedAt")
       VALUES ('8c1f6a52-3f0b-4d0e-8a51-1d6c2f1b7e91', 'a', 'b', 'done', 'set-aside', now(), now())`,
    );
    description = (await api.get('/docs/openapi.json')).body as unknown as Description;
  });
  afterAll(() => api.close());

  const operations = (): [method: Method, path: string, operation: Operation][] =>
    Object.entries(description.paths).flatMap(([path, methods]) =>
      (Object.keys(methods) as Method[]).map((method) => [method, path, methods[method]] as const),
    ) as never;

  it('names every route that architecture names', () => {
    const routes = [
      'get /v1/devices',
      'get /v1/devices/{device}',
      'get /v1/devices/{device}/status',
      'get /v1/devices/{device}/properties',
      'get /v1/devices/{device}/properties/{identifier}',
      'get /v1/devices/{device}/readings',
      'get /v1/readings',
      'get /v1/devices/{device}/aggregates',
      'get /v1/devices/{device}/series',
      'get /v1/devices/{device}/bindings',
      'get /v1/users/{identityId}/devices',
      'get /v1/ingest',
      'get /v1/ingest/ledger',
      'post /v1/set-aside/replay',
      'get /v1/set-aside/replays',
      'get /v1/set-aside/replays/{id}',
      'delete /v1/set-aside/replays/{id}',
      'get /v1/set-aside',
      'delete /v1/set-aside',
      'get /v1/set-aside/counts',
      'get /v1/set-aside/{id}',
      'delete /v1/set-aside/{id}',
      'post /v1/set-aside/{id}/replay',
      'get /v1/devices/{device}/presence',
      'get /v1/devices/{device}/presence/summary',
      'get /v1/presence',
      'get /v1/presence/curve',
      'get /v1/presence/flapping',
      'get /v1/presence/silent',
      'get /v1/stream',
      'get /v1/fleet/readings',
      'delete /v1/users/{identityId}',
      'get /v1/erasures',
      'get /v1/erasures/{id}',
      'get /v1/devices/{device}/events',
      'get /v1/devices/{device}/events/counts',
      'get /v1/events',
      'get /v1/events/counts',
      'get /v1/requests/{requestId}',
      'get /v1/users/{identityId}/devices/{device}',
      'get /v1/storage',
    ].sort();
    expect(
      operations()
        .map(([method, path]) => `${method} ${path}`)
        .sort(),
    ).toEqual(routes);
  });

  it('says of every route in a sentence what it answers, and of every path parameter what it looks like', () => {
    for (const [, path, { summary, parameters }] of operations()) {
      expect([path, summary]).toEqual([path, expect.stringMatching(/\w+ \w+/)]);
      for (const { name, in: where, schema, example } of parameters.filter((each) => each.in === 'path')) {
        expect([path, where, name, example ?? schema.example]).toEqual([path, 'path', name, expect.any(String)]);
      }
    }
  });

  it('describes every kind of event of the stream', async () => {
    const { get } = description.paths['/v1/stream']!;
    const validate = validatorOf(get.responses['200']?.content?.[EVENTS]?.schema);
    const reader = await StreamReader.open(`${api.url}/v1/stream?follow=false&from=${began}`);
    await reader.ended;
    for (const { event, data } of reader.events)
      expect([event, validate(data) || validate.errors]).toEqual([event, true]);
    expect([...new Set(reader.events.map(({ event }) => event))]).toEqual([...CHANGE_KINDS]);
    expect(validate({ device: 'a:b' })).toBe(false);
  });

  it('describes what is answered at the addresses of its own examples', async () => {
    // what removes comes last, and all at once at the very end
    const order = ([method, path]: [Method, string, Operation]): number =>
      method !== 'delete' ? 0 : path.endsWith('}') ? 1 : 2;
    for (const [method, path, operation] of operations().sort((a, b) => order(a) - order(b))) {
      if (operation.responses['200']?.content?.[EVENTS]) continue; // has no end
      const flag = operation.parameters.find(({ name }) => name === 'dryRun' || name === 'all');
      const address = exampleOf(path, operation, flag ? [`${flag.name}=true`] : []);
      const reply = await api[method](address);
      const success = '202' in operation.responses && !flag ? 202 : 200;
      expect([method, address, reply.status]).toEqual([method, address, success]);
      const validate = validatorOf(operation.responses[success]?.content?.['application/json']?.schema);
      expect([address, validate(reply.body) || validate.errors]).toEqual([address, true]);
      const items = reply.body['items'];
      if (items) expect([address, items]).toEqual([address, expect.arrayContaining([expect.anything()])]);
    }
  });

  it('answers nothing of a device in the name of somebody whose it never was, wherever `user` is a parameter', async () => {
    const taking = operations().filter(([, , { parameters }]) => parameters.some(({ name }) => name === 'user'));
    expect(taking.length).toBeGreaterThan(8);
    for (const [method, path, operation] of taking) {
      const reply = await api[method](exampleOf(path, operation, ['user=somebody-else']));
      // of all that somebody has, rather than of a device
      const fleet = path.startsWith('/v1/events');
      expect([path, reply.status]).toEqual([path, fleet ? 200 : 404]);
      if (fleet) expect([path, reply.text]).toEqual([path, expect.not.stringMatching(/"value"|"count":[1-9]/)]);
    }
  });

  it('describes problems, too', async () => {
    const { get } = description.paths['/v1/devices/{device}']!;
    const validate = validatorOf(get.responses['404']?.content?.['application/problem+json']?.schema);
    for (const path of ['/v1/devices/nope', '/v1/devices/nope?x=1']) {
      expect([validate((await api.get(path)).body) || validate.errors]).toEqual([true]);
    }
    expect(validate({ status: 'x' })).toBe(false);
  });

  /** The address that the examples of an operation make, with all that it needs, and more. */
  function exampleOf(path: string, { parameters }: Operation, more: readonly string[]): string {
    const text = (parameter: Parameter | undefined): string =>
      encodeURIComponent(String(parameter?.example ?? parameter?.schema.example));
    const bare = path.replace(/\{(\w+)\}/g, (_, name: string) => text(parameters.find((each) => each.name === name)));
    const needed = parameters
      .filter(({ in: where, required }) => where === 'query' && required)
      .map((parameter) => `${parameter.name}=${text(parameter)}`);
    const query = [...needed, ...more].join('&');
    return query === '' ? bare : `${bare}?${query}`;
  }

  /** OpenAPI 3.0 is nearly JSON Schema; what is not is turned into it here: `nullable`, and fields that nobody described. */
  function validatorOf(schema: object | undefined): ValidateFunction {
    const strict = (given: unknown): unknown => {
      if (Array.isArray(given)) return given.map(strict);
      if (typeof given !== 'object' || given === null) return given;
      const {
        nullable,
        example: _,
        ...rest
      } = Object.fromEntries(
        Object.entries(given).map(([key, value]) => [key, key === 'example' ? value : strict(value)]),
      );
      const closed =
        'properties' in rest && !('additionalProperties' in rest) ? { ...rest, additionalProperties: false } : rest;
      return nullable === true ? { anyOf: [closed, { type: 'null' }] } : closed;
    };
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const whole = strict({ ...schema, components: description.components }) as object;
    return ajv.compile(whole);
  }
});
