// @ts-check
// Plays the simulator for tests of `npm start`.
import { writeFileSync } from 'node:fs';

const file = process.env['SIMULATOR_READY_FILE'] ?? '';
const ready = { plainPort: 5672, tlsPort: 5671, caFile: '/ca.pem', appKey: 'key', appSecret: 'secret' };
writeFileSync(file, JSON.stringify({ ...ready, pid: process.pid, enterprise: {} }));
process.on('SIGTERM', () => process.exit(0));
setInterval(() => {}, 60_000);
