import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BadDescription } from '../description-file.js';
import type { Device } from '../devices/device.js';
import { deviceKey } from '../devices/device.js';
import type { Json } from '../devices/json.js';
import { BadFault } from '../faults/fault-engine.js';
import type { ConsumerGroup } from '../platform/consumer-group.js';
import { enterpriseGroup, livingGroup, TenantError } from '../platform/tenants.js';
import type { ControlTarget } from './control-target.js';
import type { History } from './history.js';
import * as inputs from './inputs.js';
import { checked, Problem } from './problem.js';
import { clientViews, deviceView, groupView, productView, recordDetail, recordView, tenantViews } from './views.js';

/** Adds every route under /v1. What a handler throws becomes problem+json. */
export function addRoutes(server: FastifyInstance, target: ControlTarget, history: History): void {
  addOverview(server, target, history);
  addTenants(server, target);
  addGroups(server, target);
  addDevices(server, target);
  addMessages(server, target);
  addFaults(server, target);
}

function addOverview(server: FastifyInstance, target: ControlTarget, history: History): void {
  server.get('/v1/clock', () => clockView(target));

  /** What the page asks for every second: small, and of each group only the samples that it has not seen. */
  server.get('/v1/summary', (request) => {
    const { since } = checked(inputs.SUMMARY, request.query, 'query');
    let online = 0;
    for (const device of target.registry.devices) if (device.online) online++;
    return {
      ...clockView(target),
      tick: history.tick,
      published: target.published,
      connections: target.connections,
      logins: target.logins,
      devices: { total: target.registry.deviceCount, online },
      log: target.messages.size,
      faults: target.faults
        .list()
        .filter(({ running }) => running)
        .map(({ id, fault }) => ({ id, fault })),
      groups: [...target.groups.values()].map((group) => ({
        group: group.id,
        clients: group.clientCount,
        ...group.counts,
        samples: history
          .since(group, since)
          .map((one) => [one.published, one.sent, one.accepted, one.queued, one.unsettled]),
      })),
    };
  });
}

function clockView({ clock }: ControlTarget): object {
  const ms = clock.now();
  return { now: new Date(ms).toISOString(), ms, scale: clock.scale };
}

function addTenants(server: FastifyInstance, { tenants }: ControlTarget): void {
  server.get('/v1/tenants', () => ({ items: tenantViews(tenants.accounts) }));

  server.put<{ Params: { appKey: string } }>('/v1/tenants/living/:appKey/sync', ({ params, body }) => {
    const { on } = checked(inputs.SYNC, body, 'body');
    changing(() => tenants.setSync(params.appKey, on));
    return { appKey: params.appKey, sync: on };
  });
  server.put<{ Params: { appKey: string } }>('/v1/tenants/living/:appKey/excluded', ({ params, body }) => {
    const { products } = checked(inputs.EXCLUDED, body, 'body');
    changing(() => tenants.setExcluded(params.appKey, products));
    return { appKey: params.appKey, exclude: products };
  });

  server.post<OfInstance>('/v1/tenants/enterprise/:instanceId/groups', ({ params, body }, reply) => {
    const { consumerGroupId } = checked(inputs.NEW_GROUP, body, 'body');
    const instanceId = idOf(params);
    changing(() => tenants.createGroup(instanceId, consumerGroupId));
    return reply.code(201).send({ group: enterpriseGroup(instanceId, consumerGroupId) });
  });
  server.delete<OfInstance & { Params: { groupId: string } }>(
    '/v1/tenants/enterprise/:instanceId/groups/:groupId',
    ({ params }, reply) => {
      changing(() => tenants.deleteGroup(idOf(params), params.groupId));
      return reply.code(204).send();
    },
  );

  type OfProduct = OfInstance & { Params: { productKey: string } };
  server.put<OfProduct>('/v1/tenants/enterprise/:instanceId/subscriptions/:productKey', ({ params, body }) => {
    const { messages, groups } = checked(inputs.SUBSCRIPTION, body, 'body');
    const subscription = { product: params.productKey, messages, groups };
    changing(() => tenants.subscribe(idOf(params), subscription));
    return subscription;
  });
  server.delete<OfProduct>('/v1/tenants/enterprise/:instanceId/subscriptions/:productKey', ({ params }, reply) => {
    changing(() => tenants.unsubscribe(idOf(params), params.productKey));
    return reply.code(204).send();
  });
}

interface OfInstance {
  Params: { instanceId: string };
}

/** A legacy public instance has no id; in a URL it is written `-`. */
const idOf = ({ instanceId }: { readonly instanceId: string }): string => (instanceId === '-' ? '' : instanceId);

const TENANT_STATUS = { unknown: 404, taken: 409, invalid: 400, limit: 409 } as const;

function changing(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (error instanceof TenantError) throw new Problem(TENANT_STATUS[error.kind], error.message);
    throw error;
  }
}

function addGroups(server: FastifyInstance, { groups }: ControlTarget): void {
  const find = (id: string): ConsumerGroup => {
    const group = groups.get(id);
    if (group) return group;
    throw new Problem(404, `There is no consumer group ${id}; GET /v1/groups lists them`);
  };
  server.get('/v1/groups', () => ({ items: [...groups.values()].map(groupView) }));

  /** Who receives, in every group. */
  server.get('/v1/clients', () => ({ items: [...groups.values()].flatMap(clientViews) }));

  interface OfApp {
    Params: { appKey: string };
  }
  interface OfGroup {
    Params: { instanceId: string; groupId: string };
  }
  const living = ({ params }: { params: OfApp['Params'] }): ConsumerGroup => find(livingGroup(params.appKey));
  const enterprise = ({ params }: { params: OfGroup['Params'] }): ConsumerGroup =>
    find(enterpriseGroup(idOf(params), params.groupId));
  /** ResetConsumerGroupPosition (protocol 10): what is waiting is given up. */
  const reset = (group: ConsumerGroup): object => {
    const { accumulationCount: cleared } = group.status();
    group.clear();
    return { group: group.id, cleared };
  };

  server.get<OfApp>('/v1/groups/living/:appKey', (request) => groupView(living(request)));
  server.post<OfApp>('/v1/groups/living/:appKey/reset', (request) => {
    checked(inputs.NOTHING, request.body, 'body');
    return reset(living(request));
  });
  server.get<OfGroup>('/v1/groups/enterprise/:instanceId/:groupId', (request) => groupView(enterprise(request)));
  server.post<OfGroup>('/v1/groups/enterprise/:instanceId/:groupId/reset', (request) => {
    checked(inputs.NOTHING, request.body, 'body');
    return reset(enterprise(request));
  });
}

interface OfDevice {
  Params: { device: string };
}

function addDevices(server: FastifyInstance, { registry, downlinks }: ControlTarget): void {
  const find = ({ params }: FastifyRequest<OfDevice>): Device => {
    const colon = params.device.indexOf(':');
    const found = registry.device(params.device.slice(0, colon), params.device.slice(colon + 1));
    if (colon > 0 && found) return found;
    throw new Problem(404, `There is no device ${params.device}; write it as productKey:deviceName`);
  };
  server.get('/v1/products', () => ({ items: [...registry.products].map(productView) }));

  server.get('/v1/devices', ({ query }) => {
    const { product, online, name, after, limit } = checked(inputs.DEVICE_SEARCH, query, 'query');
    const wanted = [...registry.devices].filter(
      (device) =>
        (after === undefined || device.key > after) &&
        (product === undefined || device.productKey === product) &&
        (online === undefined || String(device.online) === online) &&
        (name === undefined || device.deviceName.includes(name)),
    );
    const page = wanted.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit);
    return { items: page.map(deviceView), next: wanted.length > limit ? (page.at(-1)?.key ?? null) : null };
  });
  server.get<OfDevice>('/v1/devices/:device', (request) => deviceView(find(request)));

  /** A simulated secret opens nothing but this simulator, so it can be read by whoever may use this API. */
  server.get<OfDevice>('/v1/devices/:device/credentials', (request, reply) => {
    const { productKey, deviceName, deviceSecret, iotId } = find(request);
    return reply.header('cache-control', 'no-store').send({ productKey, deviceName, deviceSecret, iotId });
  });

  /** What became of a command arrives at the consumers as a message, as on the platform (protocol 7.3). */
  server.post<OfDevice>('/v1/devices/:device/commands', (request, reply) => {
    const device = find(request);
    const { service, params } = checked(inputs.COMMAND, request.body, 'body');
    const known = device.product.model?.services;
    if (service !== 'property/set' && known && !known.has(service)) {
      const names = ['property/set', ...known.keys()].join(', ');
      const message = `is no service of product ${device.productKey}, which has ${names}`;
      throw new Problem(400, `service ${message}`, [{ field: 'service', message }]);
    }
    // The schema lets nothing but JSON through.
    const requestId = downlinks.send(device, service, params as Readonly<Record<string, Json>>);
    return reply.code(202).send({ device: deviceKey(device.productKey, device.deviceName), requestId });
  });
}

function addMessages(server: FastifyInstance, target: ControlTarget): void {
  const { messages, groups } = target;
  server.get('/v1/messages', ({ query }) => {
    const { messageId, group, ...search } = checked(inputs.MESSAGE_SEARCH, query, 'query');
    if (group !== undefined && !groups.has(group)) {
      const message = `there is no ${group}; GET /v1/groups lists them`;
      throw new Problem(400, `group: ${message}`, [{ field: 'group', message }]);
    }
    const { records, next } =
      messageId === undefined
        ? messages.search({ ...search, group })
        : { records: [messages.message(messageId)].flatMap((found) => found ?? []), next: null };
    return { items: records.map(recordView), next: next === null ? null : String(next), log: messages.size };
  });
  const forgotten = (what: string): Problem =>
    new Problem(
      404,
      `The message log knows no ${what}: it remembers ${messages.size.kept} of ${messages.size.total} records`,
    );

  server.get<{ Params: { messageId: string } }>('/v1/messages/:messageId', ({ params, query }) => {
    const { as } = checked(inputs.ONE_MESSAGE, query, 'query');
    const found = messages.message(params.messageId);
    if (!found) throw forgotten(`message ${params.messageId}`);
    return recordDetail(found, as);
  });
  server.get<{ Params: { seq: string } }>('/v1/records/:seq', ({ params, query }) => {
    const { as } = checked(inputs.ONE_MESSAGE, query, 'query');
    const found = /^\d{1,15}$/.test(params.seq) ? messages.record(Number(params.seq)) : undefined;
    if (!found) throw forgotten(`record ${params.seq}`);
    return recordDetail(found, as);
  });
  server.post('/v1/messages', ({ body: given }, reply) => {
    const { body, bodyBase64, ...publication } = checked(inputs.PUBLICATION, given, 'body');
    const bytes = body ?? Buffer.from(bodyBase64 ?? '', 'base64');
    const messageId = target.publish(definedOf({ ...publication, body: bytes, origin: { from: 'control' as const } }));
    return reply.code(201).send({ messageId });
  });
}

/** Without the keys whose value is undefined. */
function definedOf<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function addFaults(server: FastifyInstance, { faults }: ControlTarget): void {
  const doing = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (error instanceof BadFault || error instanceof BadDescription) throw new Problem(400, error.message);
      throw error;
    }
  };
  server.get('/v1/faults', () => ({
    items: faults.list(),
    scenarios: faults.listScenarios(),
    catalogue: faults.catalogue(),
    log: faults.log(),
  }));
  server.post('/v1/faults', (request, reply) => {
    const { fault, params, ...options } = checked(inputs.NEW_FAULT, request.body, 'body');
    return reply.code(201).send(doing(() => faults.start(fault, params, definedOf(options))));
  });
  server.delete<{ Params: { id: string } }>('/v1/faults/:id', ({ params }, reply) => {
    if (!faults.stop(params.id)) throw new Problem(404, `There is no run ${params.id}; GET /v1/faults lists them`);
    return reply.code(204).send();
  });
  server.post('/v1/scenarios', (request, reply) => {
    const text = request.body;
    if (typeof text !== 'string') {
      throw new Problem(415, 'Send the scenario as YAML with content-type: application/yaml');
    }
    return reply.code(201).send(doing(() => faults.runScenario(text)));
  });
}
