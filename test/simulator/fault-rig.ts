import { Clock } from '../../src/simulator/clock.js';
import type { LogFields } from '../../src/simulator/log.js';
import type { Publication } from '../../src/simulator/platform/platform-message.js';
import { FaultEngine } from '../../src/simulator/faults/fault-engine.js';

/** A fault engine in front of a platform that only writes down what reaches it, on a clock that is moved by hand. For tests. */
export class FaultRig {
  now = Date.UTC(2025, 5, 1, 4);
  readonly published: Publication[] = [];
  /** What was done to the platform. */
  readonly deeds: string[] = [];
  readonly said: { msg: string; fields: LogFields }[] = [];
  readonly engine: FaultEngine;
  private ids = 0;

  constructor(seed = '1') {
    const log = (msg: string, fields: LogFields = {}): void => void this.said.push({ msg, fields });
    const deed =
      (name: string) =>
      (...args: readonly unknown[]): number => {
        this.deeds.push([name, ...args].join(' '));
        return 2;
      };
    this.engine = new FaultEngine({
      seed,
      clock: new Clock(1, 0, () => this.now),
      log: { info: log, warn: log },
      publish: (publication) => {
        const messageId = publication.messageId === undefined ? this.nextId() : publication.messageId;
        this.published.push({ ...publication, messageId });
        return messageId ?? '';
      },
      nextId: () => this.nextId(),
      tenants: () => ['living/90001234', 'enterprise/iot-demo0001'],
      command: (device, service) => {
        if (device !== 'h9DemoMete4:meter-001') throw new Error(`no device ${device}`);
        this.deeds.push(`command ${device} ${service}`);
        return '77';
      },
      target: {
        dropConnections: deed('drop'),
        closeConnections: deed('close'),
        detachLinks: deed('detach'),
        halfOpen: deed('half-open'),
        cutAfter: deed('cut'),
        silenceLinks: deed('silence'),
        forgetCredit: deed('forget-credit'),
        slowTls: deed('slow-tls'),
        refuseLogins: deed('refuse'),
        rotateSecrets: (tenant, keyId) => {
          if (tenant === 'living/0') throw new Error('no tenant living/0');
          deed('rotate')(tenant, keyId ?? 'all');
          return { restore: () => void deed('restore')(tenant) };
        },
        setSync: deed('sync'),
        flap: (times, device) => void deed('flap')(times, device ?? ''),
      },
    });
  }

  /** Moves the clock on and does what is due. */
  pass(ms: number): void {
    this.now += ms;
    this.engine.advance();
  }

  /** What was published after this happened. */
  during(happen: () => void): Publication[] {
    const before = this.published.length;
    happen();
    return this.published.slice(before);
  }

  private nextId(): string {
    return `9000000000000${String(++this.ids).padStart(5, '0')}`;
  }
}
