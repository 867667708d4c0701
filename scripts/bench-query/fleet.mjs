// @ts-check

/**
 * The fleet that is asked about. Most devices report now and then; a few report every minute, which is what the questions about
 * history are asked of.
 * @typedef {object} Fleet
 * @property {number} devices
 * @property {number} dense how many of them report every minute
 * @property {number} denseReadings of these together
 * @property {number} sparseReadings of all others together
 * @property {Date} end the moment up to which there is data
 */

export const DAY_MS = 86_400_000;
/** So far back there is data: at least one month is over, and packed. */
export const DAYS = 60;
export const DENSE_PRODUCT = 'a1DenseProd';
/** Properties of every device: four numbers that change, a switch, and a text. */
export const PROPERTIES = ['Temperature', 'Humidity', 'Power', 'Battery', 'PowerSwitch', 'Mode'];
/** Those of them that report every minute; the text does not. */
const PER_MINUTE = 5;
const MINUTES = DAYS * 24 * 60;

/** How many readings the dense devices may be of all. */
const DENSE_SHARE = 0.45;

/**
 * @param {number} devices
 * @param {number} readings
 * @param {Date} end
 * @returns {Fleet}
 */
export function fleetOf(devices, readings, end) {
  const dense = Math.max(1, Math.round((readings * DENSE_SHARE) / (PER_MINUTE * MINUTES)));
  const denseReadings = dense * PER_MINUTE * MINUTES;
  return { devices, dense, denseReadings, sparseReadings: Math.max(0, readings - denseReadings), end };
}

/** @param {number} index from 0 */
export function denseDevice(index) {
  return `${DENSE_PRODUCT}:dense-${String(index + 1).padStart(6, '0')}`;
}

/** @param {Fleet} fleet @param {number} index from 0 */
export function anyDevice(fleet, index) {
  const number = (index % (fleet.devices - fleet.dense)) + 1;
  return `a1Product${number % 7}:device-${String(number).padStart(7, '0')}`;
}
