import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Path of a file that comes with the simulator: thing models, worlds, scenarios, the page. Lies in `simulator/`. */
export const bundled = (file: string): string => fileURLToPath(new URL(`../../simulator/${file}`, import.meta.url));

/** Names under which the YAML files of a folder can be asked for as `builtin:<name>`. */
export const bundledNames = (folder: 'worlds' | 'scenarios'): string[] =>
  readdirSync(bundled(folder))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
