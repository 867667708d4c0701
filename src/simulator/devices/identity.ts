import { Random } from '../random.js';
import type { Registration } from './device.js';
import type { Product } from './product.js';

/** When the first devices were set up, long ago; the same at every start, so that telling it again is no news. */
const FOUNDED = Date.UTC(2023, 2, 1);
const DAY_MS = 86_400_000;

/**
 * A device's identity: the same for the same seed and name, whatever else there is. `secret` is one that somebody chose;
 * otherwise it is made of the seed, 32 hexadecimal digits as the platform's are.
 */
export function registrationOf(product: Product, deviceName: string, seed: string, secret?: string): Registration {
  const random = new Random(`device/${seed}/${product.productKey}/${deviceName}`);
  const iotId = random.text(26);
  const made = Array.from({ length: 32 }, () => random.whole(0, 15).toString(16)).join('');
  const createdAt = FOUNDED + random.whole(0, 200) * DAY_MS + random.whole(0, DAY_MS);
  return { product, deviceName, iotId, deviceSecret: secret ?? made, createdAt };
}
