// @ts-check
// `npm start` with stand-ins for service and simulator: start.mjs <data directory>
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../../../scripts/checkout.mjs';
import { runCommand } from '../../../scripts/plain-error.mjs';
import { readEnvironment, readWishes } from '../../../scripts/start/environment.mjs';
import { runAll } from '../../../scripts/start/run-all.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const [dataDirectory = ''] = process.argv.slice(2);
await runCommand(() => {
  const environment = readEnvironment(dataDirectory, process.env); // a folder without `.env`
  return runAll({
    root,
    dataDirectory,
    environment,
    wishes: readWishes(environment),
    commands: {
      service: [process.execPath, path.join(here, 'service.mjs')],
      simulator: [process.execPath, path.join(here, 'simulator.mjs')],
    },
    startedAt: performance.now(),
  });
});
