import { Inject, Injectable } from '@nestjs/common';
import { createHmac, randomBytes } from 'node:crypto';
import { Settings } from '../config/settings.js';
import { SinkUnavailable } from '../domain/event-sink.js';
import type { Transaction } from './prisma.service.js';
import type { UserReference } from './user-windows.js';

/** A key as its row tells of it. */
export interface KeyRow {
  readonly id: string;
  /** Hexadecimal; null for one of ERASURE_KEY. */
  readonly secret: string | null;
}

/** What is hashed: the same word is another one in another place. */
type Role = 'identity' | 'scope' | 'tenant' | 'subject';

/** Makes the hashes that stand for whoever was erased. */
export class ErasureKey {
  /** A fingerprint that tells nothing of the key. */
  readonly id: string;

  constructor(
    private readonly secret: Buffer,
    /** Whether the database may keep it: nobody set one. */
    readonly kept: boolean,
  ) {
    this.id = this.mac('the id of an erasure key').slice(0, 16);
  }

  hash(role: Role, word: string): string {
    return this.mac(`${role}:${word}`);
  }

  /** Of everything that a request named. */
  hashOf({ identityId, scopeId, tenantId }: UserReference): string {
    return this.hash('subject', JSON.stringify([identityId, scopeId ?? null, tenantId ?? null]));
  }

  /** As the database keeps it; null for one that is a setting. */
  row(): KeyRow {
    return { id: this.id, secret: this.kept ? this.secret.toString('hex') : null };
  }

  private mac(text: string): string {
    return createHmac('sha256', this.secret).update(text).digest('hex');
  }
}

/** The keys of ERASURE_KEY, the first of which makes new hashes; without any, one that the database keeps. */
@Injectable()
export class ErasureKeys {
  private readonly set: readonly ErasureKey[];

  constructor(@Inject(Settings) { erasureKey }: { readonly erasureKey?: string | undefined }) {
    this.set = (erasureKey?.split(',') ?? []).map((text) => new ErasureKey(Buffer.from(text), false));
  }

  /** The key for who is erased now: made and kept where there is none yet. Needs the lock of an erasure. */
  async current(tx: Transaction): Promise<ErasureKey> {
    const [set] = this.set;
    const [kept] = set
      ? []
      : await tx.$queryRawUnsafe<{ secret: string }[]>(
          `SELECT "secret" FROM "ErasureKey" WHERE "secret" IS NOT NULL ORDER BY "createdAt" LIMIT 1`,
        );
    const key = set ?? new ErasureKey(kept ? Buffer.from(kept.secret, 'hex') : randomBytes(32), true);
    const { id, secret } = key.row();
    await tx.$executeRawUnsafe(
      `INSERT INTO "ErasureKey" ("id", "secret", "lengths", "createdAt") VALUES ($1::text, $2::text, '{}', now())
       ON CONFLICT DO NOTHING`,
      id,
      secret,
    );
    return key;
  }

  /**
   * The key of a row.
   * @throws SinkUnavailable when it was in another process's ERASURE_KEY: who was erased under it cannot be known here, so that
   * nothing may be written that names a user.
   */
  ofRow({ id, secret }: KeyRow): ErasureKey {
    const key =
      secret === null ? this.set.find((each) => each.id === id) : new ErasureKey(Buffer.from(secret, 'hex'), true);
    if (key) return key;
    throw new SinkUnavailable(
      `users were erased under a key that ERASURE_KEY does not have here (fingerprint ${id}): add it, behind a comma`,
    );
  }
}
