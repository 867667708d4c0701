import { deviceKey, type Device } from './device.js';
import type { Product } from './product.js';

/** Every product and device of every tenant: virtual ones, and those that real devices sign in as. */
export class Registry {
  private readonly devicesByKey = new Map<string, Device>();
  private readonly productsByKey = new Map<string, Product>();

  get devices(): Iterable<Device> {
    return this.devicesByKey.values();
  }

  get products(): Iterable<Product> {
    return this.productsByKey.values();
  }

  get deviceCount(): number {
    return this.devicesByKey.size;
  }

  addProduct(product: Product): void {
    this.productsByKey.set(product.productKey, product);
  }

  /** Registers a device, and its product with it. A device of the same name takes the place of the former. */
  add(device: Device): void {
    if (!this.productsByKey.has(device.productKey)) this.addProduct(device.product);
    this.devicesByKey.set(device.key, device);
  }

  remove(device: Device): void {
    this.devicesByKey.delete(device.key);
  }

  product(productKey: string): Product | undefined {
    return this.productsByKey.get(productKey);
  }

  device(productKey: string, deviceName: string): Device | undefined {
    return this.devicesByKey.get(deviceKey(productKey, deviceName));
  }
}
