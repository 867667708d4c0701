// @ts-check
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top folder of this checkout. */
export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Where everything goes that commands make and keep: the embedded database, logs, certificates. Not in git. */
export const dataDirectory = path.join(root, 'data');
