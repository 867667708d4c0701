// @ts-check
/** @typedef {import('./actions.mjs').Action} Action */

/** What is done to the connections of a replica. @type {Record<string, Action>} */
export const WIRE_ACTIONS = Object.fromEntries(
  /** @type {const} */ (['amqp', 'postgres']).flatMap((wire) =>
    Object.entries(actionsOn(wire)).map(([what, action]) => [`${wire}-${what}`, action]),
  ),
);

/**
 * @param {'amqp' | 'postgres'} wire
 * @returns {Record<string, Action>}
 */
function actionsOn(wire) {
  /** @param {(given: Record<string, any>) => Partial<import('../proxy.mjs').Weather>} weatherOf @returns {Action} */
  const weather =
    (weatherOf) =>
    async ({ replica, parameters }) => {
      const proxy = replica()[wire];
      proxy.setWeather(weatherOf(parameters));
      return async () => proxy.clear(parameters['after'] === 'silence' ? 'silence' : 'reset');
    };
  return {
    cut: async ({ replica, parameters }) => {
      const proxy = replica()[wire];
      proxy.refuse(true);
      proxy.cut(parameters['how'] === 'end' ? 'end' : 'reset');
      return async () => proxy.refuse(false);
    },
    'half-open': weather(({ swallow }) => ({ swallow })),
    slow: weather(({ delayMs }) => ({ delayMs })),
    narrow: weather(({ bytesPerSecond }) => ({ bytesPerSecond })),
  };
}
