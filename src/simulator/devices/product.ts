import type { ThingModel } from '../models/thing-model.js';

/** How a device's messages look: the form of the Living platform or of the Enterprise one. */
export type Voice = 'living' | 'enterprise';

/** A product as the platform knows it: what all its devices have in common. */
export interface Product {
  readonly productKey: string;
  /** Category key, sent as deviceType. */
  readonly deviceType: string;
  readonly voice: Voice;
  readonly role: 'device' | 'gateway' | 'sub-device';
  /** Whose product it is, see `livingTenant` and `enterpriseTenant`; null is everybody's, as in the mixed demo. */
  readonly tenant: string | null;
  /** Null for a product without one, whose devices use custom topics only. */
  readonly model: ThingModel | null;
  /** Weak checks identifiers and types and tells failures in `checkFailedData`; none forwards unchecked (protocol 11). */
  readonly validation: 'weak' | 'none';
  /** JavaScript with `rawDataToProtocol` and `protocolToRawData`, for devices that speak a binary protocol (protocol 7.19). */
  readonly rawScript: string | null;
  /** JavaScript with `transformPayload`, for custom topics published with `?_sn=default` (protocol 7.18). */
  readonly messageScript: string | null;
}
