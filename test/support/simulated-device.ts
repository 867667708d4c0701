import { Device, type Registration } from '../../src/simulator/devices/device.js';
import type { Product } from '../../src/simulator/devices/product.js';

/** A product of the simulator: no model, no scripts, everybody's. A test states only what it is about. */
export const aProduct = (over: Partial<Product> = {}): Product => ({
  productKey: 'pk',
  deviceType: 'CustomCategory',
  voice: 'enterprise',
  role: 'device',
  tenant: null,
  model: null,
  validation: 'weak',
  rawScript: null,
  messageScript: null,
  ...over,
});

/** A device of such a product. */
export const aDevice = (over: Partial<Registration> = {}): Device =>
  new Device({ product: aProduct(), deviceName: 'dn', deviceSecret: '', iotId: 'iot-1', createdAt: 0, ...over });
