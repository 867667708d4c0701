import { fileURLToPath } from 'node:url';

/** Path of a file that comes with the simulator: thing models, worlds, scenarios, the page. Lies in `simulator/`. */
export const bundled = (file: string): string => fileURLToPath(new URL(`../../simulator/${file}`, import.meta.url));
