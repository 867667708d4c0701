import type { Log } from './log.js';
import type { ProductPlan } from './devices/products-section.js';
import type { Voice } from './devices/product.js';
import type { ScenarioFile } from './faults/scenario-file.js';
import type { ConnectionLimits } from './platform/admission.js';
import type { DeliveryRules } from './platform/delivery-rules.js';
import type { PublishedListener } from './platform/platform.js';
import type { QueuesUnavailable } from './platform/disk-queues.js';
import type { Accounts, GroupLimits } from './platform/tenants.js';
import type { RuleDescription } from './rules/rule.js';

/**
 * Everything has a default that suits a test: free ports on loopback, plain TCP only, no fleet, no rate limits, and failed
 * messages sent again after 50 ms. Of `DeliveryRules` only what is to differ from that need be given.
 */
export interface SimulatorOptions extends Partial<DeliveryRules> {
  readonly host?: string;
  /** Plain AMQP port: 0, the default, takes any free one; null opens none. */
  readonly plainPort?: number | null;
  /** AMQP over TLS: 0 takes any free port; null, the default, opens none. */
  readonly tlsPort?: number | null;
  /** MQTT door for devices: 0 takes any free port; null, the default, opens none. */
  readonly mqttPort?: number | null;
  /** MQTT over TLS: 0 takes any free port; null, the default, opens none. */
  readonly mqttTlsPort?: number | null;
  /** Shortest keep-alive that a device may ask for, in seconds, and how often silent ones are looked for; 30, 30,000. */
  readonly mqttMinKeepAliveSeconds?: number;
  readonly mqttScanMs?: number;
  /** Where the TLS certificate is kept; without it one is made for this run alone. */
  readonly dataDir?: string;
  /** Who may sign in; by default the demo accounts. */
  readonly accounts?: Accounts;
  /** Of everything the simulator leaves to chance. */
  readonly seed?: string;
  /** In place of the world's clock and the simulated one, for tests that move it by hand; milliseconds since 1970. */
  readonly clock?: () => number;
  /** How much faster than the world's the simulated time runs, and where it starts; 1, now. */
  readonly timeScale?: number;
  readonly startAt?: number;
  readonly log?: Log;
  /** How long an unanswered delivery is waited for; 30,000. */
  readonly ackTimeoutMs?: number;
  /** Time to sign in, and then to attach a receiver; 15,000. */
  readonly setupTimeoutMs?: number;
  /** What a client's idle-time-out must lie between; 30,000 and 300,000. */
  readonly minIdleTimeoutMs?: number;
  readonly maxIdleTimeoutMs?: number;
  /** How many clients may connect; without limit. */
  readonly connectionLimits?: Partial<ConnectionLimits>;
  /** How many consumer groups there may be; without limit. */
  readonly groupLimits?: Partial<GroupLimits>;
  /** Rate limits of the platform: 1,000 messages/s a connection, and what a backlog may send; false. */
  readonly limits?: boolean;
  /** Where queues are kept: `disk` is `queues` in `dataDir` (which it needs), and outlives the process; memory. */
  readonly queues?: 'memory' | 'disk';
  /** Told when the queues on disk could no longer be written and the simulator has therefore stopped. */
  readonly onFailure?: (failure: QueuesUnavailable) => void;
  /** Told of every message as the consumer groups get it, before any client can hear of it: for a journal of all there were. */
  readonly onPublished?: PublishedListener;
  /** How many messages the message log remembers, and `fate` knows; all of them. A process that runs for long must set it. */
  readonly logged?: number;
  /** How many bytes of bodies the message log keeps; without bound. */
  readonly loggedBytes?: number;
  /** Port of the control API and its page: null, the default, opens none; 0 takes any free one. */
  readonly controlPort?: number | null;
  /** Where it listens; 127.0.0.1. Anything but loopback needs a token. */
  readonly controlHost?: string;
  /** The bearer token that it asks for; null, the default, asks for none. */
  readonly controlToken?: string | null;
  /** Virtual devices that send messages of their own; none. */
  readonly fleet?: FleetChoice;
  /** Products and their devices, as a world file describes them; those of the demo. */
  readonly products?: readonly ProductPlan[];
  /** Rules that forward what they make of messages into consumer groups; none. */
  readonly rules?: readonly RuleDescription[];
  /** Faults that run from the start with their defaults, by name; none. */
  readonly faults?: readonly string[];
  /** Faults and more at their times, counted from the start. */
  readonly scenario?: ScenarioFile;
}

/** How virtual devices live. */
export interface FleetChoice {
  readonly seed: string;
  /** How many there are of the demo's products; products of a world say it themselves. */
  readonly devices: number;
  /** In whose form the demo's products speak; `both` gives each the form its maker would meet. */
  readonly flavour: Voice | 'both';
  /** Messages in each of the world's seconds, of the whole fleet; 0 sends the first messages only. */
  readonly rate: number;
}
