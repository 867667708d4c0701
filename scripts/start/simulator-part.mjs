// @ts-check
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { PlainError, codeOf } from '../plain-error.mjs';
import { isFree } from '../postgres/free-port.mjs';
import { startPart } from './part.mjs';
import { until } from './wait.mjs';

/** @typedef {import('./environment.mjs').Environment} Environment */

/**
 * What the simulator writes once it listens.
 * @typedef {object} SimulatorReady
 * @property {number} plainPort
 * @property {number} tlsPort
 * @property {string} caFile
 * @property {number | null} controlPort of the view; null where it is switched off
 * @property {number | null} mqttPort for devices; null where it is switched off
 * @property {string | null} appKey of the first Living app; null where a world has none
 * @property {string | null} appSecret
 * @property {{ instanceId: string, accessKeyId: string, accessKeySecret: string, consumerGroupId: string } | null} enterprise
 */

/** Where it listens when nobody says otherwise: the own ports of AMQP and MQTT, TLS and plain, and its view. */
const PORTS = {
  SIMULATOR_TLS_PORT: 5671,
  SIMULATOR_PORT: 5672,
  SIMULATOR_MQTT_TLS_PORT: 8883,
  SIMULATOR_MQTT_PORT: 1883,
  SIMULATOR_CONTROL_PORT: 5680,
};

/**
 * Starts the platform simulator and waits until it listens.
 * @param {object} options
 * @param {readonly string[]} options.command
 * @param {string} options.root
 * @param {string} options.dataDirectory
 * @param {Environment} options.environment
 * @param {import('./supervisor.mjs').Supervisor} options.supervisor
 * @param {(line: string) => void} options.onLine
 * @returns {Promise<SimulatorReady>}
 */
export async function startSimulator({ command, root, dataDirectory, environment, supervisor, onLine }) {
  const readyFile = path.join(dataDirectory, `simulator-${process.pid}.json`);
  mkdirSync(dataDirectory, { recursive: true });
  rmSync(readyFile, { force: true });
  const [program = '', ...args] = command;
  supervisor.add(
    startPart({
      name: 'the simulator',
      program,
      args,
      cwd: root,
      env: {
        SIMULATOR_DATA_DIR: path.join(dataDirectory, 'simulator'),
        ...(await otherPortsIfTaken(environment)),
        ...environment,
        SIMULATOR_READY_FILE: readyFile,
      },
      logFile: path.join(dataDirectory, 'logs', 'simulator.log'),
      onLine,
    }),
  );
  try {
    return await until(async () => readReady(readyFile), supervisor.signal, 30);
  } finally {
    rmSync(readyFile, { force: true }); // it holds credentials, and only this start needs them
  }
}

/**
 * The settings that let the service find the simulator, with the credentials of the flavour that was asked for.
 * @param {SimulatorReady} ready
 * @param {Environment} environment
 * @returns {Environment}
 * @throws {PlainError} when the simulated world has nobody of that flavour
 */
export function simulatorSettings({ tlsPort, caFile, appKey, appSecret, enterprise }, environment) {
  const address = { AMQP_URL: `amqps://127.0.0.1:${tlsPort}`, AMQP_CA_FILE: caFile };
  if (environment['AMQP_AUTH_MODE'] === 'aksign') {
    if (enterprise === null) {
      throw new PlainError('The world of SIMULATOR_WORLD has no Enterprise instance: leave AMQP_AUTH_MODE out.');
    }
    return {
      ...address,
      AMQP_ACCESS_KEY_ID: enterprise.accessKeyId,
      AMQP_ACCESS_KEY_SECRET: enterprise.accessKeySecret,
      AMQP_IOT_INSTANCE_ID: enterprise.instanceId,
      AMQP_CONSUMER_GROUP_ID: enterprise.consumerGroupId,
    };
  }
  if (appKey === null || appSecret === null) {
    throw new PlainError('The world of SIMULATOR_WORLD has no Living app: set AMQP_AUTH_MODE=aksign.');
  }
  return { ...address, AMQP_AUTH_MODE: 'appkey', AMQP_APP_KEY: appKey, AMQP_APP_SECRET: appSecret };
}

/**
 * A broker of one's own may have these ports; unless a port was asked for by number, any other will do.
 * @param {Environment} environment
 * @returns {Promise<Environment>}
 */
async function otherPortsIfTaken(environment) {
  /** @type {Environment} */
  const settings = {};
  for (const [name, port] of Object.entries(PORTS)) {
    if (environment[name] === undefined && !(await isFree(port))) settings[name] = '0';
  }
  return settings;
}

/**
 * @param {string} file
 * @returns {SimulatorReady | undefined}
 */
function readReady(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined; // not yet, or half written
    throw error;
  }
}
