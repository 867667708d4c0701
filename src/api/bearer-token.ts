import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether an Authorization header brings the token, in a time that tells nothing about it. */
export function bringsToken(authorization: string | undefined, token: string, path: string): boolean {
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S+) *$/.exec(authorization ?? '') ?? [];
  if (/^bearer$/i.test(scheme)) return equal(credentials, token);
  // A browser can only be asked for a password. Allowed where nothing is changed: browsers send it unasked afterwards.
  if (/^basic$/i.test(scheme) && isDocs(path)) {
    return equal(
      Buffer.from(credentials, 'base64')
        .toString()
        .replace(/^[^:]*:/, ''),
      token,
    );
  }
  return false;
}

/** The challenge of a 401 (RFC 6750; a password prompt for people who read the documentation). */
export function challenge(path: string): string {
  return isDocs(path)
    ? 'Bearer realm="living-mirror", Basic realm="living-mirror token as password"'
    : 'Bearer realm="living-mirror"';
}

/** Probes must work without a token; they tell nothing of devices. */
export function isOpen(path: string): boolean {
  return path === '/health/live' || path === '/health/ready';
}

function isDocs(path: string): boolean {
  return path === '/docs' || path.startsWith('/docs/');
}

function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
