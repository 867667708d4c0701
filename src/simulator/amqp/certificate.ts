import { createPrivateKey, X509Certificate, type webcrypto } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FolderUnavailable } from '../folder-unavailable.js';
import type { Certificate } from './amqp-door.js';

const VALID_DAYS = 825; // what the strictest common clients still accept
const DAY_MS = 86_400_000;
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * The simulator's own authority and server certificate, for localhost, 127.0.0.1 and ::1. Made at the first start and kept
 * in `directory` (ca.pem, server.pem, server.key); made anew when unreadable or about to expire. Throws `FolderUnavailable`.
 */
export async function keptCertificate(directory: string, now: number): Promise<Certificate & { caFile: string }> {
  const file = (name: string): string => join(directory, name);
  const caFile = file('ca.pem');
  const kept = await readCertificate(file);
  if (kept && isUsable(kept, now)) return { ...kept, caFile };
  const made = await makeCertificate(now);
  // Only the last one is for us alone: others keep their data beside it.
  try {
    await mkdir(dirname(directory), { recursive: true });
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await write(file('server.key'), made.key, 0o600);
    await write(file('server.pem'), made.cert, 0o644);
    await write(caFile, made.ca, 0o644);
  } catch (error) {
    throw new FolderUnavailable('The data folder', directory, 'SIMULATOR_DATA_DIR', error);
  }
  return { ...made, caFile };
}

/** A fresh authority, whose key is forgotten at once, and a server certificate signed by it. */
export async function makeCertificate(now: number): Promise<Certificate> {
  // Loaded only when needed: it costs the start of every test a good part of a second.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const newKeys = (): Promise<webcrypto.CryptoKeyPair> => crypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const [caKeys, keys] = [await newKeys(), await newKeys()];
  // A day in the past, for clients whose clock is behind.
  const validity = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + VALID_DAYS * DAY_MS) };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=living-mirror platform simulator CA',
    keys: caKeys,
    signingAlgorithm: ECDSA,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const server = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: ECDSA,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    ca: `${ca.toString('pem')}\n`,
    cert: `${server.toString('pem')}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${key.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`,
  };
}

async function readCertificate(file: (name: string) => string): Promise<Certificate | null> {
  try {
    const [ca, cert, key] = await Promise.all(
      ['ca.pem', 'server.pem', 'server.key'].map((name) => readFile(file(name), 'utf8')),
    );
    return ca && cert && key ? { ca, cert, key } : null;
  } catch {
    return null; // not there yet, or not readable: a new one does as well
  }
}

function isUsable({ ca, cert, key }: Certificate, now: number): boolean {
  try {
    const [authority, server] = [new X509Certificate(ca), new X509Certificate(cert)];
    const belongTogether = server.verify(authority.publicKey) && server.checkPrivateKey(createPrivateKey(key));
    return belongTogether && Date.parse(server.validTo) > now + 30 * DAY_MS;
  } catch {
    return false; // no certificate, or no key, at all
  }
}

/** Whole or not at all, with its mode from the first byte on. */
async function write(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
}
