// @ts-check
import net from 'node:net';

/**
 * @typedef {object} Weather how bytes travel
 * @property {'none' | 'up' | 'down' | 'both'} swallow what a client says (up), what it is told (down): gone, and nobody knows
 * @property {number} delayMs every byte is so late
 * @property {number} bytesPerSecond in each direction; 0 is without limit
 */

/** @type {Weather} */
const FAIR = { swallow: 'none', delayMs: 0, bytesPerSecond: 0 };

/**
 * A TCP proxy that can misbehave as networks do. One stands before each server for each replica, so that one replica can
 * suffer alone.
 */
export class Proxy {
  #server = net.createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  /** @type {Set<Link>} */
  #links = new Set();
  /** @type {number | null} */
  #target;
  #weather = FAIR;
  #refusing = false;

  /** @param {number | null} target port on this machine; null refuses */
  constructor(target) {
    this.#target = target;
  }

  /** @returns {Promise<number>} the port where clients connect */
  listen() {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  get connections() {
    return this.#links.size;
  }

  /** Where further connections go. @param {number | null} target */
  setTarget(target) {
    this.#target = target;
  }

  /** Whether further connections are reset at once. @param {boolean} refusing */
  refuse(refusing) {
    this.#refusing = refusing;
  }

  /** What holds from now on, for open connections as well. @param {Partial<Weather>} weather */
  setWeather(weather) {
    this.#weather = { ...FAIR, ...weather };
    for (const link of this.#links) link.weather = this.#weather;
  }

  /** Fair weather again. A connection that has lost bytes can never be whole: it stays silent for good, or is reset. @param {'reset' | 'silence'} lossy */
  clear(lossy) {
    this.#weather = FAIR;
    for (const link of this.#links) {
      if (!link.lossy) link.weather = FAIR;
      else if (lossy === 'reset') link.cut('reset');
      else link.weather = { ...FAIR, swallow: 'both' };
    }
  }

  /** @param {'reset' | 'end'} how */
  cut(how) {
    for (const link of this.#links) link.cut(how);
  }

  close() {
    this.#server.close();
    this.cut('reset');
  }

  /** @param {net.Socket} client */
  #accept(client) {
    client.on('error', () => {});
    if (this.#refusing || (this.#target === null && this.#weather.swallow === 'none')) {
      client.resetAndDestroy();
      return;
    }
    const link = new Link(client, this.#target, this.#weather, () => this.#links.delete(link));
    this.#links.add(link);
  }
}

/** A client and the server behind it. */
class Link {
  /** Whether bytes of it were swallowed. */
  lossy = false;
  #client;
  #server;
  #ended;

  /**
   * @param {net.Socket} client
   * @param {number | null} target
   * @param {Weather} weather
   * @param {() => void} ended
   */
  constructor(client, target, weather, ended) {
    this.weather = weather;
    this.#client = client;
    this.#ended = ended;
    if (weather.swallow !== 'none') this.lossy = true;
    // A connection that begins in silence reaches nobody.
    this.#server =
      weather.swallow === 'none' && target !== null
        ? net.connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })
        : null;
    client.setNoDelay(true);
    this.#server?.setNoDelay(true);
    this.#carry(client, this.#server, 'up');
    if (this.#server !== null) this.#carry(this.#server, client, 'down');
    for (const socket of [client, this.#server]) {
      socket?.on('error', () => this.cut('reset'));
      socket?.on('close', () => this.#closed());
    }
  }

  /** @param {'reset' | 'end'} how */
  cut(how) {
    for (const socket of [this.#client, this.#server]) {
      if (socket === null || socket.destroyed) continue;
      if (how === 'reset') socket.resetAndDestroy();
      else socket.end(() => socket.destroySoon());
    }
  }

  #closed() {
    const lost = this.weather.swallow !== 'none';
    // While everything is swallowed, one side does not learn that the other is gone.
    if (!lost || (this.#client.destroyed && (this.#server?.destroyed ?? true))) {
      this.#ended();
      this.#client.destroy();
      this.#server?.destroy();
    } else if (this.#client.destroyed) {
      this.#ended();
      this.#server?.destroy();
    }
  }

  /**
   * @param {net.Socket} from
   * @param {net.Socket | null} to
   * @param {'up' | 'down'} direction
   */
  #carry(from, to, direction) {
    /** The time before which the next bytes must not arrive. */
    let free = 0;
    /** In the order in which they came: timers of different lengths do not keep it. @type {(Buffer | null)[]} */
    const waiting = [];
    const swallows = () => this.weather.swallow === 'both' || this.weather.swallow === direction;
    /** @param {Buffer | null} chunk null is the end */
    const write = (chunk) => {
      if (to === null || to.destroyed) return;
      if (chunk === null) to.end();
      else if (!to.write(chunk) && !from.isPaused()) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    };
    /** @param {Buffer | null} chunk */
    const pass = (chunk) => {
      if (to === null || swallows()) {
        this.lossy = true;
        return;
      }
      const { delayMs, bytesPerSecond } = this.weather;
      const now = performance.now();
      const takes = bytesPerSecond === 0 ? 0 : ((chunk?.length ?? 0) / bytesPerSecond) * 1_000;
      free = Math.max(free, now + delayMs) + takes;
      if (free <= now && waiting.length === 0) {
        write(chunk);
        return;
      }
      waiting.push(chunk);
      if (bytesPerSecond > 0) from.pause();
      setTimeout(() => {
        const first = waiting.shift() ?? null;
        if (swallows()) this.lossy = true;
        else write(first);
        if (bytesPerSecond > 0 && waiting.length === 0 && !from.destroyed) from.resume();
      }, free - now);
    };
    from.on('data', pass);
    from.on('end', () => pass(null));
  }
}
