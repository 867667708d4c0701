// @ts-check
import { readFileSync } from 'node:fs';
import { startService } from '../bench/service-peer.mjs';
import { startPeerProcess } from '../bench/peer-process.mjs';
import path from 'node:path';
import { DENSE_PRODUCT } from './fleet.mjs';

/**
 * The service on a database, with a platform that is quiet until it is told to send.
 * @param {{ root: string, folder: string, url: string, signal: AbortSignal }} options
 */
export async function startQueried({ root, folder, url, signal }) {
  const dist = path.join(root, 'dist');
  const source = startPeerProcess(path.join(root, 'scripts', 'bench', 'source.mjs'), { dist });
  const where = await source.ask({ do: 'where' });
  const service = await startService({
    dist,
    folder,
    url,
    source: where,
    profile: undefined,
    signal,
    settings: {
      PACK_READINGS_AFTER_DAYS: '1', // months that are over are packed, as they would be by and by
      RETENTION_PRODUCTS: `${DENSE_PRODUCT}:readings=3650`, // a table of its own for what of it is packed
    },
  });
  await source.ask({ do: 'clients', count: 1 });
  return {
    ...service,
    source,
    /** Bytes of memory that the process has right now. */
    resident: () => {
      const [, kilobytes = '0'] =
        /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8')) ?? [];
      return Number(kilobytes) * 1_024;
    },
    stop: async () => {
      await service.stop();
      await source.stop();
    },
  };
}
