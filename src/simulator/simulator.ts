import { join } from 'node:path';
import { AmqpDoor, type Certificate, type Reception } from './amqp/amqp-door.js';
import { keptCertificate, makeCertificate } from './amqp/certificate.js';
import type { ConsumerGroup, GroupCounts } from './platform/consumer-group.js';
import { deliveryRules, QUICK_RULES, withPlatformRates } from './platform/delivery-rules.js';
import { DiskQueues } from './platform/disk-queues.js';
import { Admission, NO_CONNECTION_LIMITS } from './platform/admission.js';
import { Gate } from './platform/gate.js';
import type { Fate } from './platform/fate.js';
import {
  enterpriseGroup,
  enterpriseTenant,
  livingGroup,
  livingTenant,
  NO_GROUP_LIMITS,
  Tenants,
  type Accounts,
} from './platform/tenants.js';
import { Downlinks } from './devices/downlink.js';
import type { Json } from './devices/json.js';
import { Registry } from './devices/registry.js';
import type { ControlTarget } from './control/control-target.js';
import type { ControlApi, ControlOptions } from './control/control-api.js';
import { Device } from './devices/device.js';
import { registrationOf } from './devices/identity.js';
import { flicker } from './devices/presence.js';
import type { ProductPlan } from './devices/products-section.js';
import { Feed } from './fleet/feed.js';
import { Fleet } from './fleet/fleet.js';
import { demoMembers, demoProducts, membersOf } from './fleet/line-up.js';
import { FaultEngine } from './faults/fault-engine.js';
import type { FaultTarget } from './faults/fault-target.js';
import type { MqttDoor, MqttDoorOptions } from './mqtt/mqtt-door.js';
import type { RuleDescription } from './rules/rule.js';
import { Sandbox } from './rules/sandbox.js';
import { Clock } from './clock.js';
import { DEMO_ENTERPRISE, DEMO_LIVING, DEMO_STS } from './demo-accounts.js';
import { silentLog, type Log } from './log.js';
import type { FleetChoice, SimulatorOptions } from './simulator-options.js';
import { Random } from './random.js';
import type { MessageLog } from './platform/message-log.js';
import { Platform } from './platform/platform.js';
import type { Publication } from './platform/platform-message.js';

/**
 * The platform's side of the wire, running in this process. Tests publish to it, watch what becomes of each message, and
 * make it misbehave. Counters are sums over all consumer groups; a group that nobody reads accepts nothing, it only
 * queues, so `queued` is asked of one group: `simulator.living.counts.queued`.
 */
export class Simulator implements FaultTarget, ControlTarget {
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
  /** Faults on demand. Whatever is published goes through those that are running. */
  readonly faults: FaultEngine;
  private feed: Feed | null = null;
  private readonly chance: Random;
  private mqtt: MqttDoor | null = null;
  /** For the scripts of products and rules; costs nothing until one is loaded. */
  private readonly sandbox = new Sandbox();
  private control: { readonly api: ControlApi; readonly port: number } | null = null;
  private stopped: Promise<void> | null = null;

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
    private readonly seed: string,
    log: Log,
  ) {
    this.chance = new Random(`flapping/${seed}`);
    this.faults = new FaultEngine({
      seed,
      clock,
      log,
      target: this,
      publish: (publication) => platform.publish(publication),
      nextId: () => platform.nextId(),
      tenants: () => [
        ...this.accounts.apps.map(({ appKey }) => livingTenant(appKey)),
        ...this.accounts.instances.map(({ instanceId }) => enterpriseTenant(instanceId)),
      ],
      command: (device, service, params) => this.command(device, service, params),
    });
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
    return this.faults.pass(publication);
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

  /** Sends nothing on the links that are open, and leaves them open. */
  silenceLinks(): number {
    const all = [...this.door.connections];
    for (const connection of all) connection.fallSilent();
    return all.length;
  }

  /** Forgets the credit of the connections that are open, and takes no notice of what they grant from now on. */
  forgetCredit(): number {
    const all = [...this.door.connections];
    for (const connection of all) connection.forgetCredit();
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

  /** Lets a device, `productKey:deviceName` or one by chance, go offline and online so many times within a moment. */
  flap(times: number, device?: string, chance = this.chance): void {
    const now = this.clock.now();
    const online = device === undefined ? [...this.registry.devices].filter((each) => each.online) : [];
    const found = device === undefined ? (online[chance.whole(0, online.length - 1)] ?? null) : this.known(device);
    if (!found) throw new Error('there is no device online in the simulator');
    if (!found.online) throw new Error(`device ${found.key} is not online`);
    for (const publication of flicker(found, times, chance, now)) {
      this.publish({ ...publication, origin: { from: 'fault', by: 'flapping' } });
    }
  }

  /** Sends a command to a device, `productKey:deviceName`, and returns its request id. Throws for one that is not known. */
  command(device: string, service: string, params: Readonly<Record<string, unknown>>): string {
    return this.downlinks.send(this.known(device), service, params as Readonly<Record<string, Json>>);
  }

  /** A device by `productKey:deviceName`. Throws for one that is not known. */
  private known(device: string): Device {
    const [productKey = '', ...name] = device.split(':');
    const found = this.registry.device(productKey, name.join(':'));
    if (!found) throw new Error(`no device ${device} in the simulator`);
    return found;
  }

  /** Registers products and devices, and makes a fleet of the virtual ones when one is chosen; once. */
  populate(plans: readonly ProductPlan[] | null, choice: FleetChoice | null): void {
    const { seed = this.seed, devices = 0, flavour = 'both' } = choice ?? {};
    const products = plans ?? demoProducts(flavour);
    for (const { product } of products) this.registry.addProduct(product);
    if (choice) {
      const members = plans ? membersOf(plans) : demoMembers(products, devices);
      const fleet = new Fleet({ seed, members, registry: this.registry });
      this.downlinks.add(fleet);
      this.feed = new Feed(fleet, choice.rate, this.clock, (publication) => void this.publish(publication));
    }
    for (const { product, devices: named } of products) {
      for (const { name, secret } of named) {
        if (this.registry.device(product.productKey, name)) continue;
        this.registry.add(new Device(registrationOf(product, name, seed, secret)));
      }
    }
  }

  /** How many virtual devices there are. */
  get virtualDevices(): number {
    return this.feed?.size ?? 0;
  }

  /** Lets the virtual devices live and send. */
  startFleet(): void {
    this.feed?.start();
  }

  /** The message log (the platform's 日志查看). */
  get messages(): MessageLog {
    return this.platform.messages;
  }

  /** Port of the control API, or null. */
  get controlPort(): number | null {
    return this.control?.port ?? null;
  }

  /** Opens the control API; once. Throws `PortUnavailable` and `ControlTokenMissing`. */
  async openControl(options: ControlOptions, log: Log): Promise<void> {
    // Loaded only where it is wanted: tests that do without start sooner.
    const { ControlApi } = await import('./control/control-api.js');
    const api = new ControlApi(options, this, log);
    this.control = { api, port: await api.open() };
  }

  /** Ports of the MQTT door for devices, or null. */
  get mqttPort(): number | null {
    return this.mqtt?.plainPort ?? null;
  }

  get mqttTlsPort(): number | null {
    return this.mqtt?.tlsPort ?? null;
  }

  /** Opens the MQTT door for devices; once. Throws `PortUnavailable`. */
  async openMqtt(options: MqttDoorOptions, log: Log): Promise<void> {
    const { MqttDoor } = await import('./mqtt/mqtt-door.js');
    const door = new MqttDoor(
      options,
      {
        registry: this.registry,
        sandbox: this.sandbox,
        publish: (publication) => void this.publish(publication),
        refused: (refusal) => this.platform.messages.refused(refusal),
        now: () => this.clock.now(),
        worldNow: () => performance.now(),
      },
      log,
    );
    await door.open();
    this.mqtt = door;
    this.downlinks.add(door);
  }

  /** Lets rules look at every message from now on; once. Throws `BadRule`. */
  async addRules(rules: readonly RuleDescription[], log: Log): Promise<void> {
    // Loaded only when needed, as is the MQTT door.
    const [{ RuleEngine }, { publishToDevice }] = await Promise.all([
      import('./rules/rule-engine.js'),
      import('./rules/device-topics.js'),
    ]);
    const { registry, downlinks, sandbox, seed } = this;
    const hand = (device: Device, topic: string, body: Uint8Array): boolean =>
      this.mqtt?.publishTo(device, topic, body) ?? false;
    const engine = new RuleEngine(rules, {
      sandbox,
      registry,
      now: () => this.clock.now(),
      seed,
      log,
      note: (messageId, rule, text) => this.messages.noted(messageId, `rule ${rule}`, text),
      publishToDevice: (topic, body) => publishToDevice({ registry, downlinks, hand }, topic, body),
    });
    this.platform.addForwarder(engine);
  }

  /** Ends every connection and frees the ports; within a second, whatever the clients do. Again, it waits for the first. */
  stop(): Promise<void> {
    this.stopped ??= this.end();
    return this.stopped;
  }

  private async end(): Promise<void> {
    this.feed?.stop();
    this.faults.close();
    await this.mqtt?.close();
    await this.sandbox.close();
    await this.control?.api.close();
    await this.door.close();
    await this.platform.close();
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
  const clock = new Clock(options.timeScale ?? 1, options.startAt ?? Date.now(), options.clock ?? null);
  const secrets = new Random(`secrets/${seed}`);
  const tenants = new Tenants(accounts, { ...NO_GROUP_LIMITS, ...options.groupLimits }, () => secrets.text(30));
  if (options.queues === 'disk' && dataDir === undefined) throw new Error('Queues on disk need a dataDir');
  const certificate =
    tlsPort === null && (options.mqttTlsPort ?? null) === null
      ? null
      : dataDir === undefined
        ? { ...(await makeCertificate(Date.now())), caFile: null }
        : await keptCertificate(dataDir, Date.now());
  const queues = options.queues === 'disk' ? await DiskQueues.open(join(dataDir ?? '', 'queues')) : null;
  const platform = new Platform({
    tenants,
    seed,
    clock,
    worldNow: options.clock ?? Date.now,
    log,
    rules: deliveryRules(limits ? withPlatformRates(QUICK_RULES) : QUICK_RULES, options),
    queues,
    logged: options.logged ?? Number.POSITIVE_INFINITY,
    loggedBytes: options.loggedBytes ?? Number.POSITIVE_INFINITY,
    onPublished: options.onPublished ?? null,
  });
  const admission = new Admission({ ...NO_CONNECTION_LIMITS, ...options.connectionLimits });
  const gate = new Gate(tenants, admission, options.clock ?? Date.now, log);
  gate.onRefused(({ clientId, peer, reason }) => {
    platform.messages.refused({ what: 'sign-in', door: 'amqp', who: clientId || peer, reason });
  });
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
  try {
    await door.open();
  } catch (error) {
    await platform.close(); // lets go of queues on disk
    throw error;
  }
  const simulator = new Simulator(platform, door, tenants, gate, host, certificate, clock, seed, log);
  queues?.onFailure((failure) => {
    log.warn('stops, since it cannot keep what is published', { reason: failure.message });
    void simulator
      .stop()
      .catch((error: unknown) => log.warn('did not stop in order', { reason: String(error) }))
      .then(() => options.onFailure?.(failure));
  });
  try {
    await furnish(simulator, options, { host, certificate, log });
  } catch (error) {
    await simulator.stop();
    throw error;
  }
  simulator.startFleet();
  return simulator;
}

/** Everything behind the door for consumers that the options ask for. */
async function furnish(
  simulator: Simulator,
  options: SimulatorOptions,
  { host, certificate, log }: { host: string; certificate: Certificate | null; log: Log },
): Promise<void> {
  simulator.populate(options.products ?? null, options.fleet ?? null);
  if (options.rules && options.rules.length > 0) await simulator.addRules(options.rules, log);
  const { mqttPort: plainPort = null, mqttTlsPort: tlsPort = null } = options;
  if (plainPort !== null || tlsPort !== null) {
    const { mqttMinKeepAliveSeconds: minKeepAliveSeconds = 30, mqttScanMs: scanMs = 30_000 } = options;
    await simulator.openMqtt({ host, plainPort, tlsPort, certificate, minKeepAliveSeconds, scanMs }, log);
  }
  for (const fault of options.faults ?? []) simulator.faults.start(fault);
  if (options.scenario) simulator.faults.play(options.scenario);
  const { controlPort: port = null, controlHost = '127.0.0.1', controlToken: token = null } = options;
  if (port !== null) await simulator.openControl({ host: controlHost, port, token }, log);
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
