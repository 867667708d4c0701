// @ts-check
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPeerProcess } from '../../scripts/bench/peer-process.mjs';
import { Database } from './database.mjs';
import { Replica } from './replica.mjs';
import { SmallDisk } from './small-disk.mjs';

/** Room for the data, its log and a standby; and for the spools. */
const DISK_MIB = { least: 1_500, aMinute: 350 };
const SPOOLS_MIB = 256;

/** Everything that takes part: the platform, the database, the replicas. */
export class Scene {
  /** @type {Replica[]} */
  replicas = [];
  /** Of replicas that came and went. @type {Replica[]} */
  #extra = [];

  /**
   * @param {object} options
   * @param {string} options.root
   * @param {string} options.folder
   * @param {import('./options.mjs').TortureOptions} options.torture
   * @param {import('./abilities.mjs').Abilities} options.abilities
   */
  constructor({ root, folder, torture, abilities }) {
    this.root = root;
    this.folder = folder;
    this.torture = torture;
    this.abilities = abilities;
    this.journal = path.join(folder, 'journal.jsonl');
    const { tmpfs } = abilities;
    const mib = DISK_MIB.least + Math.ceil(torture.minutes * DISK_MIB.aMinute * Math.max(1, torture.rate / 1_000));
    this.disk = tmpfs ? new SmallDisk(path.join(folder, 'disk'), mib) : null;
    this.spoolDisk = tmpfs && torture.spool !== 'none' ? new SmallDisk(path.join(folder, 'spools'), SPOOLS_MIB) : null;
    this.database = new Database({
      root,
      folder: path.join(folder, 'disk'),
      logFile: path.join(folder, 'postgres.log'),
    });
    this.platform = startPeerProcess(fileURLToPath(new URL('platform-process.mjs', import.meta.url)), {
      dist: path.join(root, 'dist'),
      seed: torture.seed,
      rate: torture.rate,
      journal: this.journal,
      folder: path.join(folder, 'platform'),
    });
  }

  /** Every replica there ever was. */
  get everyReplica() {
    return [...this.replicas, ...this.#extra];
  }

  async start() {
    this.disk?.mount();
    this.spoolDisk?.mount();
    await this.database.create();
    for (let index = 0; index < this.torture.replicas; index++) this.replicas.push(await this.#make(index));
    this.database.onMove = (port) => {
      for (const replica of this.everyReplica) replica.postgres.setTarget(port);
    };
    this.database.onMove(this.database.port);
    await Promise.all(this.replicas.map((replica) => replica.start()));
  }

  /** One replica more, running. */
  async addReplica() {
    const replica = await this.#make(this.everyReplica.length);
    this.#extra.push(replica);
    replica.postgres.setTarget(this.database.port);
    await replica.start();
    return replica;
  }

  /** @param {number | null} index */
  replica(index) {
    const found = this.replicas[index ?? 0];
    if (found === undefined) throw new Error(`there is no replica ${index}`);
    return found;
  }

  /** @param {number} index */
  async #make(index) {
    const { spool } = this.torture;
    const name = `replica-${index + 1}`;
    // One that comes and goes for good must not take a spool with it.
    const stays = index < this.torture.replicas;
    const spools = stays && (spool === 'all' || (spool === 'every-second' && index % 2 === 1));
    const replica = new Replica({
      name,
      dist: path.join(this.root, 'dist'),
      folder: path.join(this.folder, name),
      platform: await this.platform.ask({ do: 'where' }),
      tls: index % 2 === 1,
      spool: spools ? path.join(this.folder, 'spools', name) : null,
      faketime: stays ? this.abilities.faketime : null,
      databaseUrl: () => this.database.url,
    });
    await replica.open();
    return replica;
  }

  /** Ends everything, whatever its state. @param {() => void} beforeDisksGo nothing runs any more */
  async end(beforeDisksGo) {
    for (const replica of this.everyReplica) replica.close();
    this.disk?.empty();
    await Promise.all([this.platform.stop(), this.database.end()]);
    beforeDisksGo();
    this.disk?.unmount();
    this.spoolDisk?.unmount();
  }
}
