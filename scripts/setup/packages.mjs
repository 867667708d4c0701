// @ts-check
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { PlainError, codeOf, messageOf } from '../plain-error.mjs';
import { working } from './progress.mjs';
import { lastLines, runTool } from './run-tool.mjs';

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} LockedPackage */

/**
 * Whether node_modules holds what package-lock.json asks for. npm writes down what it installed, last thing of a
 * complete install, in node_modules/.package-lock.json; what was left out for this platform is missing there.
 * @param {string} root the checkout
 */
export async function packagesMatch(root) {
  const wanted = await readLock(path.join(root, 'package-lock.json'));
  const present = await readLock(path.join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([where, entry]) => {
    if (where === '') return true;
    const found = present[where];
    if (found === undefined) return entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/**
 * Makes node_modules what package-lock.json asks for.
 * @param {string} root the checkout
 */
export async function installPackages(root) {
  // An interrupted install leaves no record behind, and half a tree: only `npm ci` is sure to put that right. A complete
  // tree of another day is brought up to date in place, which takes seconds and leaves it whole if the network is away.
  const complete = await exists(path.join(root, 'node_modules', '.package-lock.json'));
  if (complete) {
    await working('Updating packages', () => npm(root, ['install', '--no-save', '--prefer-offline']));
    if (await packagesMatch(root)) return;
  }
  const note = 'about a minute the first time';
  await working(
    'Installing packages',
    async () => {
      const { code, output } = await npm(root, ['ci', '--prefer-offline']);
      if (code !== 0) throw new PlainError(`npm ci failed: ${reasonOf(output)}\n${lastLines(output)}`);
    },
    { note },
  );
}

/**
 * @param {string} root
 * @param {readonly string[]} args
 */
async function npm(root, args) {
  // No step of ours needs an install script, development packages are needed whatever NODE_ENV says, and the
  // install must be the one of this directory even if npm was told another prefix.
  const all = [...args, '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const npmCli = process.env['npm_execpath'];
  try {
    return npmCli !== undefined && path.basename(npmCli) === 'npm-cli.js'
      ? await runTool(process.execPath, [npmCli, ...all], { cwd: root })
      : await runTool(process.platform === 'win32' ? 'npm.cmd' : 'npm', all, { cwd: root });
  } catch (error) {
    throw new PlainError(`npm could not be run (${messageOf(error)}): install Node.js with npm, then try again.`, {
      cause: error,
    });
  }
}

/** @param {string} output of npm */
function reasonOf(output) {
  if (/ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT/.test(output)) {
    return 'the npm registry cannot be reached. Check the network (or proxy, or `npm config get registry`) and run this again.';
  }
  if (/ENOSPC/.test(output)) return 'the disk is full. About 700 MB are needed.';
  if (/EACCES|EPERM|EROFS/.test(output)) return 'node_modules cannot be written. Check its owner and permissions.';
  if (/EUSAGE/.test(output))
    return 'package.json and package-lock.json disagree. Run `npm install` and commit the lock file.';
  return 'npm said:';
}

/**
 * @param {string} file
 * @returns {Promise<Record<string, LockedPackage> | undefined>} undefined if there is none that can be read
 */
async function readLock(file) {
  try {
    const lock = JSON.parse(await readFile(file, 'utf8'));
    return typeof lock === 'object' && lock !== null ? lock.packages : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** @param {string} file */
async function exists(file) {
  return stat(file).then(
    () => true,
    () => false,
  );
}
