// @ts-check

/** @typedef {{ name: string, schema?: Record<string, unknown> }} Parameter */
/** @typedef {{ parameters?: Parameter[] }} Operation */
/** @typedef {{ paths: Record<string, Record<string, Operation>> }} Description */

/**
 * The OpenAPI description with values in it that mean something here, beside whatever the fuzzer makes up: names of devices
 * that exist, moments that have readings. Most invented names would be answered by 404, and nothing behind that be reached.
 * @param {import('../interop/service.mjs').Service} service
 * @returns {Promise<Description>}
 */
export async function withRealValues(service) {
  /** @type {Description} */
  const description = await service.get('/docs/openapi.json');
  const known = await realValues(service);
  for (const operations of Object.values(description.paths)) {
    for (const { parameters = [] } of Object.values(operations)) {
      for (const parameter of parameters) {
        const values = known[parameter.name];
        if (values === undefined || values.length === 0 || parameter.schema === undefined) continue;
        parameter.schema = mixed(parameter.schema, values);
      }
    }
  }
  return description;
}

/**
 * A schema that is mostly one of the values, and sometimes what it was.
 * @param {Record<string, unknown>} schema
 * @param {readonly unknown[]} values
 */
function mixed(schema, values) {
  if (schema['type'] === 'array') {
    const items = /** @type {Record<string, unknown>} */ (schema['items'] ?? {});
    return { ...schema, items: { anyOf: [{ enum: values }, items] } };
  }
  return { anyOf: [{ enum: values }, schema] };
}

/**
 * @param {import('../interop/service.mjs').Service} service
 * @returns {Promise<Record<string, readonly unknown[]>>}
 */
async function realValues(service) {
  const { items } = await service.get('/v1/devices?limit=200');
  const devices = items.map(
    (/** @type {Record<string, string>} */ { productKey, deviceName }) => `${productKey}:${deviceName}`,
  );
  const identifiers = [...new Set(items.flatMap((/** @type {any} */ { properties }) => Object.keys(properties)))];
  const users = items.flatMap((/** @type {any} */ { owners }) =>
    owners.map((/** @type {any} */ { identityId }) => identityId),
  );
  const now = Date.now();
  const times = [0, 30_000, 3_600_000, 86_400_000, 40 * 86_400_000].map((ago) => new Date(now - ago).toISOString());
  return {
    device: devices.slice(0, 20),
    productKey: [...new Set(items.map((/** @type {any} */ { productKey }) => productKey))],
    identifier: identifiers.slice(0, 30),
    identityId: [...new Set(users)].slice(0, 10),
    user: [...new Set(users)].slice(0, 10),
    from: times,
    to: times,
    at: times,
  };
}
