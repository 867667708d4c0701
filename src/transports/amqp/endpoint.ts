import { readFileSync } from 'node:fs';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';

/** Where the platform is. */
export interface Endpoint {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  /** Host and port as people write them; never credentials. */
  readonly peer: string;
}

/**
 * @param url `amqps://host[:5671]` or `amqp://host[:5672]`.
 * @throws Error saying what is wrong with it.
 */
export function endpointOf(url: string): Endpoint {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new Error('AMQP_URL is not a URL; write amqps://host:5671');
  }
  const tls = parsed.protocol === 'amqps:';
  if (!tls && parsed.protocol !== 'amqp:') throw new Error('AMQP_URL must start with amqps:// or amqp://');
  if (parsed.hostname === '') throw new Error('AMQP_URL names no host; write amqps://host:5671');
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = parsed.port === '' ? (tls ? 5671 : 5672) : Number(parsed.port);
  return { tls, host, port, peer: `${parsed.hostname}:${port}` };
}

/**
 * Opens a socket, with TLS if the endpoint wants it. A certificate authority in `caFile` is trusted beside the usual ones;
 * the file is read anew for every attempt, so that a renewed one needs no restart.
 * @throws Error when the file cannot be read or holds no certificate.
 */
export function openSocket(endpoint: Endpoint, caFile: string | undefined, onConnected: () => void): Socket {
  const { host, port } = endpoint;
  if (!endpoint.tls) return connectPlain({ host, port, noDelay: true }, onConnected);
  const ca = caFile ? { ca: [...rootCertificates, readFileSync(caFile, 'utf8')] } : {};
  // A server name must not be an address; the certificate is then checked against the host as it is.
  const name = isIP(host) ? {} : { servername: host };
  const socket = connectTls({ host, port, ...name, ...ca }, onConnected);
  socket.setNoDelay(true);
  return socket;
}
