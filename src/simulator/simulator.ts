import { AmqpDoor, type Certificate, type Reception } from './amqp/amqp-door.js';
import { keptCertificate, makeCertificate } from './amqp/certificate.js';
import type { ConsumerGroup, GroupCounts } from './platform/consumer-group.js';
import { Admission, NO_CONNECTION_LIMITS, type ConnectionLimits } from './platform/admission.js';
import { Gate } from './platform/gate.js';
import type { Fate } from './platform/fate.js';
import {
  enterpriseGroup,
  livingGroup,
  NO_GROUP_LIMITS,
  Tenants,
  type Accounts,
  type GroupLimits,
} from './platform/tenants.js';
import { Downlinks } from './devices/downlink.js';
import { Registry } from './devices/registry.js';
import { Feed, type FeedOptions } from './fleet/feed.js';
import { Clock } from './clock.js';
import { DEMO_ENTERPRISE, DEMO_LIVING, DEMO_STS } from './demo-accounts.js';
import { silentLog, type Log } from './log.js';
import { Random } from './random.js';
import { Platform } from './platform/platform.js';
import type { Publication } from './platform/platform-message.js';

/** Everything has a default that suits a test: free ports on loopback, plain TCP only, no fleet, no rate limits. */
export interface SimulatorOptions {
  readonly host?: string;
  /** Plain AMQP port: 0, the default, takes any free one; null opens none. */
  readonly plainPort?: number | null;
  /** AMQP over TLS: 0 takes any free port; null, the default, opens none. */
  readonly tlsPort?: number | null;
  /** Where the TLS certificate is kept; without it one is made for this run alone. */
  readonly dataDir?: string;
  /** Who may sign in; by default the demo accounts. */
  readonly accounts?: Accounts;
  /** Of everything the simulator leaves to chance. */
  readonly seed?: string;
  /** Milliseconds since 1970: of generateTime, message ids, expiry and signature freshness. */
  readonly clock?: () => number;
  readonly log?: Log;
  /** How long an unanswered delivery is waited for; 30,000. */
  readonly ackTimeoutMs?: number;
  /** How long after a failure (not a lost connection: at once) a message is sent again; 50. */
  readonly redeliverAfterMs?: number;
  /** Time to sign in, and then to attach a receiver; 15,000. */
  readonly setupTimeoutMs?: number;
  /** What a client's idle-time-out must lie between; 30,000 and 300,000. */
  readonly minIdleTimeoutMs?: number;
  readonly maxIdleTimeoutMs?: number;
  /** How many clients may connect; without limit. */
  readonly connectionLimits?: Partial<ConnectionLimits>;
  /** How many consumer groups there may be; without limit. */
  readonly groupLimits?: Partial<GroupLimits>;
  /** Rate limits of the platform: 1,000 messages/s a connection, 200/s from the backlog; false. */
  readonly limits?: boolean;
  /** What a group may hold before its oldest messages are dropped; 1,000,000 messages and 256 MiB. */
  readonly maxQueued?: number;
  readonly maxQueuedBytes?: number;
  /** How many messages the message log remembers, and `fate` knows; all of them. A process that runs for long must set it. */
  readonly logged?: number;
  /** How many bytes of bodies the message log keeps; without bound. */
  readonly loggedBytes?: number;
  /** Virtual devices that send messages of their own; none. */
  readonly fleet?: FeedOptions;
}

const DAY_MS = 86_400_000;

/**
 * The platform's side of the wire, running in this process. Tests publish to it, watch what becomes of each message, and
 * make it misbehave. Counters are sums over all consumer groups; a group that nobody reads accepts nothing, it only
 * queues, so `queued` is asked of one group: `simulator.living.counts.queued`.
 */
export class Simulator {
  readonly host: string;
  /** Plain AMQP port, or null. */
  readonly plainPort: number | null;
  /** AMQP over TLS port, or null. */
  readonly tlsPort: number | null;
  /** The authority of the TLS certificate, PEM; null without TLS. */
  readonly ca: string | null;
  /** File of the same; null without TLS or `dataDir`. */
  readonly caFile: string | null;
  /** Products and devices of every tenant. */
  readonly registry = new Registry();
  /** Takes commands to devices, virtual or connected. */
  readonly downlinks: Downlinks;
  private feed: Feed | null = null;

  /** Use `startSimulator`. */
  constructor(
    private readonly platform: Platform,
    private readonly door: AmqpDoor,
    /** Tenants as they are now: their switches, subscriptions, groups and secrets can be changed. */
    readonly tenants: Tenants,
    readonly gate: Gate,
    host: string,
    certificate: (Certificate & { caFile: string | null }) | null,
    /** The simulated time. */
    readonly clock: Clock,
  ) {
    this.downlinks = new Downlinks(
      (publication) => this.publish(publication),
      () => clock.now(),
    );
    this.host = host;
    this.plainPort = door.plainPort;
    this.tlsPort = door.tlsPort;
    this.ca = certificate?.ca ?? null;
    this.caFile = certificate?.caFile ?? null;
  }

  /** Sends a message to every consumer group that it concerns; returns its id, which names it in `fate`. */
  publish(publication: Publication): string {
    return this.platform.publish(publication);
  }

  /** Messages published, each counted once. */
  get published(): number {
    return this.platform.published;
  }

  /** Messages accepted. */
  get accepted(): number {
    return this.sum('accepted');
  }

  /** Deliveries sent and not answered yet. */
  get unsettled(): number {
    return this.sum('unsettled');
  }

  /** Deliveries sent, first and repeated ones. */
  get sent(): number {
    return this.sum('sent');
  }

  /** Deliveries of a message that had been sent before. */
  get redelivered(): number {
    return this.sum('redelivered');
  }

  /** What became of a message, in the named group or the one that did most about it; null when unknown. */
  fate(messageId: string, groupId?: string): Fate | null {
    return this.platform.fate(messageId, groupId);
  }

  /** Who may sign in now, and what they subscribe to. */
  get accounts(): Accounts {
    return this.tenants.accounts;
  }

  /** The group of the first Living app. */
  get living(): ConsumerGroup {
    return this.platform.group(livingGroup(this.accounts.apps[0]?.appKey ?? ''));
  }

  /** A group of the first Enterprise instance. */
  enterprise(consumerGroupId: string): ConsumerGroup {
    return this.platform.group(enterpriseGroup(this.accounts.instances[0]?.instanceId ?? '', consumerGroupId));
  }

  get groups(): ReadonlyMap<string, ConsumerGroup> {
    return this.platform.groups;
  }

  /** Open connections, signed in or not. */
  get connections(): number {
    return this.door.connections.size;
  }

  /** Sign-ins that were let in, and refused, so far. */
  get logins(): { readonly admitted: number; readonly refused: number } {
    return { admitted: this.gate.admitted, refused: this.gate.refused };
  }

  /** Resets the TCP connection of every client; returns how many there were. */
  dropConnections(): number {
    const all = [...this.door.connections];
    for (const connection of all) connection.drop();
    return all.length;
  }

  /** Leaves every connection open for so long without reading or writing, then resets it. */
  halfOpen(forMs: number): number {
    const all = [...this.door.connections];
    for (const connection of all) connection.halfOpen(forMs);
    return all.length;
  }

  /** Resets every connection once it was sent so many more bytes. */
  cutAfter(bytes: number): number {
    const all = [...this.door.connections];
    for (const connection of all) connection.cutAfter(bytes);
    return all.length;
  }

  /** Holds every TLS handshake up for so long from now on; 0 ends it. */
  slowTls(delayMs: number): void {
    this.door.slowTls(delayMs);
  }

  /** Gives a tenant's key, or all its keys, another secret. Open connections stay. */
  rotateSecrets(tenant: string, keyId?: string): { restore(): void } {
    return this.tenants.rotateSecrets(tenant, keyId);
  }

  /** Switches the data sync of a Living app; its clients receive nothing more until they reconnect. */
  setSync(appKey: string, on: boolean): void {
    this.tenants.setSync(appKey, on);
  }

  /** Closes every connection with an AMQP condition, as for maintenance. */
  closeConnections(condition = 'amqp:connection:forced', description = 'closed by the simulator'): number {
    const all = [...this.door.connections];
    for (const connection of all) connection.close(condition, description);
    return all.length;
  }

  /** Detaches every receiver link and leaves the connections open. */
  detachLinks(condition = 'amqp:link:detach-forced', description = 'detached by the simulator'): number {
    const all = [...this.door.connections];
    for (const connection of all) connection.detach(condition, description);
    return all.length;
  }

  /** Refuses every sign-in from now on (SASL outcome 1), or stops doing so. Open connections stay. */
  refuseLogins(refuse: boolean): void {
    this.gate.refusing = refuse;
  }

  /** Lets virtual devices live and send; once. */
  startFleet(options: FeedOptions, clock: Clock): void {
    if (this.feed) throw new Error('The simulator has a fleet already');
    this.feed = new Feed(options, clock, {
      publish: (publication) => this.publish(publication),
      dropConnections: () => void this.dropConnections(),
    });
    this.feed.start();
  }

  /** Ends every connection and frees the ports; within a second, whatever the clients do. */
  async stop(): Promise<void> {
    this.feed?.stop();
    await this.door.close();
    this.platform.close();
  }

  private sum(count: keyof GroupCounts): number {
    let sum = 0;
    for (const group of this.platform.groups.values()) sum += group.counts[count];
    return sum;
  }
}

/** Starts a simulator in this process; it listens when the promise resolves. Throws `PortUnavailable`. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', plainPort = 0, tlsPort = null, dataDir, accounts = demoAccounts() } = options;
  const { log = silentLog, seed = '1', setupTimeoutMs = 15_000, limits = false } = options;
  const clock = new Clock(1, Date.now(), options.clock ?? null);
  const secrets = new Random(`secrets/${seed}`);
  const tenants = new Tenants(accounts, { ...NO_GROUP_LIMITS, ...options.groupLimits }, () => secrets.text(30));
  const platform = new Platform({
    tenants,
    seed,
    clock,
    log,
    rules: {
      redeliverAfterMs: options.redeliverAfterMs ?? 50,
      retentionMs: DAY_MS,
      maxQueued: options.maxQueued ?? 1_000_000,
      maxQueuedBytes: options.maxQueuedBytes ?? 256 * 1_024 * 1_024,
      realtimePerSecond: limits ? 1_000 : null,
      backlogPerSecond: limits ? 200 : null,
    },
    logged: options.logged ?? Number.POSITIVE_INFINITY,
    loggedBytes: options.loggedBytes ?? Number.POSITIVE_INFINITY,
  });
  const admission = new Admission({ ...NO_CONNECTION_LIMITS, ...options.connectionLimits });
  const gate = new Gate(tenants, admission, options.clock ?? Date.now, log);
  const certificate =
    tlsPort === null
      ? null
      : dataDir === undefined
        ? { ...(await makeCertificate(Date.now())), caFile: null }
        : await keptCertificate(dataDir, Date.now());
  const { ackTimeoutMs = 30_000 } = options;
  const { minIdleTimeoutMs = 30_000, maxIdleTimeoutMs = 300_000 } = options;
  const rules = { setupTimeoutMs, ackTimeoutMs, minIdleTimeoutMs, maxIdleTimeoutMs };
  const reception: Reception = {
    signIn: (userName, password, peer) => gate.signIn(userName, password, peer),
    refuseMechanism: (peer) => gate.refuseFor('another SASL mechanism than PLAIN', peer),
    left: (login) => gate.left(login),
    group: (id) => platform.groups.get(id),
    isSynchronised: (group) => tenants.isSynchronised(group),
  };
  const door = new AmqpDoor({ host, plainPort, tlsPort, certificate, ...rules }, reception, log);
  tenants.onChange(({ deleted, deafened }) => {
    for (const id of deafened) for (const client of door.clientsOf(id)) client.deafen();
    for (const id of deleted) {
      for (const client of door.clientsOf(id)) client.close('amqp:resource-deleted', 'the consumer group was deleted');
    }
  });
  await door.open();
  const simulator = new Simulator(platform, door, tenants, gate, host, certificate, clock);
  if (options.fleet) simulator.startFleet(options.fleet, clock);
  return simulator;
}

function demoAccounts(): Accounts {
  const { instanceId, consumerGroupId, accessKeyId, accessKeySecret } = DEMO_ENTERPRISE;
  return {
    apps: [DEMO_LIVING],
    instances: [
      { instanceId, consumerGroupIds: [consumerGroupId], accessKeys: [{ accessKeyId, accessKeySecret }, DEMO_STS] },
    ],
    freshnessWindowMs: null,
  };
}
