// @ts-check

/** The one product of the benchmark's devices. */
export const PRODUCT_KEY = 'a1BenchProd';
export const DEVICES = 1_000;
/** Properties in each message. */
export const PROPERTIES = 3;
/** Steps through the devices so that neighbours in time are no neighbours in the tables. */
const STRIDE = 617;

/**
 * The message of the given number: a property post (protocol 7.1) of one device with three numbers. Every device in turn;
 * the same number and time always make the same bytes.
 * @param {number} index
 * @param {number} at milliseconds since 1970, when the device measured and the platform forwarded it
 */
export function benchMessage(index, at) {
  const device = (index * STRIDE) % DEVICES;
  const deviceName = deviceNameOf(device);
  const round = Math.floor(index / DEVICES);
  const body = JSON.stringify({
    deviceType: 'CustomCategory',
    iotId: `BenchIotId${String(device).padStart(16, '0')}000100`,
    requestId: String(index),
    checkFailedData: {},
    productKey: PRODUCT_KEY,
    gmtCreate: at + 4,
    deviceName,
    items: {
      CurrentTemperature: { value: (1_800 + ((round * 7 + device) % 1_200)) / 100, time: at },
      EnvHumidity: { value: 20 + ((round + device) % 60), time: at },
      PowerConsumption: { value: (device * 1_000 + round * 13) / 1_000, time: at },
    },
  });
  return {
    topic: `/${PRODUCT_KEY}/${deviceName}/thing/event/property/post`,
    body,
    generateTime: at + 5,
  };
}

/**
 * When the message of this number was measured, if 1,000 of them a second end at `end`. No device has two at one time.
 * @param {number} index
 * @param {number} count
 * @param {number} end milliseconds since 1970
 */
export function pastTime(index, count, end) {
  return end - count + index;
}

/** @param {number} device */
function deviceNameOf(device) {
  return `bench_${String(device).padStart(4, '0')}`;
}
