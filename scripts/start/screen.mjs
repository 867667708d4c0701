// @ts-check

/**
 * What people see when everything runs: what runs where, what to open, how to stop.
 * @param {object} facts
 * @param {string} facts.url of the service
 * @param {{ ready: boolean, body: string }} facts.service
 * @param {{ address: string, embedded: string | undefined }} facts.database `embedded`: its version
 * @param {{ tlsPort: number, plainPort: number, controlPort: number | null, mqttPort: number | null } | undefined} facts.simulator
 * @param {string} facts.platform address of the platform, if it is not the simulator
 * @param {string} facts.logs
 * @param {boolean} facts.token whether REST asks for a token
 * @param {number} facts.seconds since the start
 */
export function screen({ url, service, database, simulator, platform, logs, token, seconds }) {
  const head = service.ready
    ? `living-mirror runs (started in ${seconds.toFixed(1)} s).`
    : `living-mirror runs, but is not ready yet (${whyNot(service.body)}).\nIt keeps trying; its log tells more.`;
  const rows = [
    ['open', `${url}/v1/devices`],
    ['', `${url}/docs   (all routes${token ? '; HTTP_TOKEN is asked for' : ''})`],
    ['', `${url}/v1/ingest   (is it receiving?)`],
    [
      'database',
      database.embedded === undefined
        ? `yours: ${database.address}`
        : `embedded PostgreSQL ${database.embedded}: ${database.address}`,
    ],
    ...(database.embedded === undefined ? [] : [['', 'with its password in data/postgres.json']]),
    ['', 'npx prisma studio   (browse the tables)'],
    ['platform', simulator ? `simulated: amqps://127.0.0.1:${simulator.tlsPort}` : platform],
    ...(simulator ? [['', `amqp://127.0.0.1:${simulator.plainPort}   (plain)`]] : []),
    ...(simulator && simulator.mqttPort !== null
      ? [['', `mqtt://127.0.0.1:${simulator.mqttPort}   (for devices of your own: docs/simulator.md)`]]
      : []),
    ...(simulator && simulator.controlPort !== null
      ? [['', `http://127.0.0.1:${simulator.controlPort}/   (look inside: queues, message log, faults)`]]
      : []),
    ['logs', logs],
  ];
  const body = rows.map(([label = '', text = '']) => `  ${label.padEnd(10)}${text}`).join('\n');
  return `\n${head}\n\n${body}\n\nCtrl-C stops everything.\n`;
}

/**
 * What the readiness page complains about.
 * @param {string} body
 */
function whyNot(body) {
  try {
    const checks = /** @type {[string, { ok: boolean, detail: string }][]} */ (Object.entries(JSON.parse(body).checks));
    const failed = checks.filter(([, { ok }]) => !ok).map(([name, { detail }]) => `${name}: ${detail}`);
    return failed.join(', ');
  } catch {
    return body.slice(0, 200);
  }
}
