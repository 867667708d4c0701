// @ts-check
import path from 'node:path';
import { buildIsCurrent, compile } from './compile.mjs';
import { withLock } from './directory-lock.mjs';
import { installPackages, packagesMatch } from './packages.mjs';
import { clientIsCurrent, generateClient } from './prisma-client.mjs';

/**
 * Makes a clone ready to run: packages, the Prisma client and, if asked for, dist/. Does nothing where nothing changed;
 * of two at once (npm start and npm test) one waits for the other.
 * @param {string} root the checkout
 * @param {{ build: boolean }} options
 */
export async function setUp(root, { build }) {
  const isReady = async () =>
    (await packagesMatch(root)) && (await clientIsCurrent(root)) && (!build || (await buildIsCurrent(root)));
  if (await isReady()) return;
  await withLock(
    path.join(root, 'data', 'setup.lock'),
    async () => {
      if (!(await packagesMatch(root))) await installPackages(root);
      if (!(await clientIsCurrent(root))) await generateClient(root);
      if (build && !(await buildIsCurrent(root))) await compile(root);
    },
    {
      onWait: (pid) => console.error(`Another command (process ${pid ?? '?'}) is setting up this checkout, waiting …`),
    },
  );
}
