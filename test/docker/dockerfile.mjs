// @ts-check
// As much of Docker as our own Dockerfile needs: its stages as folders, its commands run one after another.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * What is left of a stage once it is built.
 * @typedef {object} Image
 * @property {string} folder stands for `/`
 * @property {string} workdir
 * @property {Record<string, string>} environment
 * @property {string | undefined} user
 * @property {readonly string[]} command
 * @property {readonly string[]} healthcheck
 */

/**
 * Builds every stage of a Dockerfile.
 * @param {object} options
 * @param {string} options.dockerfile
 * @param {string} options.context the folder that COPY copies from
 * @param {string} options.output where stages are built
 * @param {(line: string) => void} options.onCommand hears of every RUN
 * @returns {Map<string, Image>} by name of the stage
 */
export function buildStages({ dockerfile, context, output, onCommand }) {
  /** @type {Map<string, Image>} */
  const stages = new Map();
  /** @type {Image | undefined} */
  let stage;
  const current = () => {
    if (stage === undefined) throw new Error('an instruction before the first FROM');
    return stage;
  };
  for (const { name, rest } of instructions(readFileSync(dockerfile, 'utf8'))) {
    switch (name) {
      case 'FROM': {
        const [from = '', as = ''] = rest.split(/ AS /i);
        const parent = stages.get(from);
        const folder = path.join(output, as);
        mkdirSync(folder, { recursive: true });
        if (parent !== undefined) execFileSync('cp', ['-a', '--reflink=auto', `${parent.folder}/.`, folder]);
        stage = {
          workdir: '/',
          environment: {},
          user: undefined,
          healthcheck: [],
          ...parent,
          folder,
          command: parent?.command ?? [],
        };
        stages.set(as, stage);
        break;
      }
      case 'WORKDIR':
        current().workdir = rest;
        mkdirSync(path.join(current().folder, rest), { recursive: true });
        break;
      case 'ENV':
        for (const [, key = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) {
          current().environment = { ...current().environment, [key]: value };
        }
        break;
      case 'COPY':
        copy(rest, current(), context, stages);
        break;
      case 'RUN':
        if (rest.startsWith('apt-get ')) break; // the packages of this machine have to do
        onCommand(rest);
        execFileSync('sh', ['-c', rest], {
          cwd: path.join(current().folder, current().workdir),
          env: { ...process.env, NODE_ENV: undefined, npm_config_loglevel: 'error', ...current().environment },
          stdio: ['ignore', 'ignore', 'inherit'],
        });
        break;
      case 'USER':
        current().user = rest;
        break;
      case 'CMD':
        current().command = JSON.parse(rest);
        break;
      case 'HEALTHCHECK':
        current().healthcheck = JSON.parse(rest.slice(rest.indexOf('CMD ') + 4));
        break;
      case 'EXPOSE':
        break;
      default:
        throw new Error(`${name} is not understood here`);
    }
  }
  return stages;
}

/**
 * @param {string} text
 * @returns {{ name: string, rest: string }[]}
 */
function instructions(text) {
  return text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => ({ name: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1).trim() }));
}

/**
 * @param {string} rest
 * @param {Image} stage
 * @param {string} context
 * @param {Map<string, Image>} stages
 */
function copy(rest, stage, context, stages) {
  const words = rest.split(/\s+/);
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const origin = from === undefined ? context : stages.get(from)?.folder;
  if (origin === undefined) throw new Error(`COPY from a stage that is not there: ${from}`);
  const target = words.pop() ?? '.';
  const into = path.resolve(stage.workdir, target);
  for (const word of words) {
    const source = path.join(origin, word);
    if (!existsSync(source)) throw new Error(`COPY ${word}: not in the build context`);
    // As Docker does: a folder's content, or a file under its name where the target is a folder.
    const whole = statSync(source).isDirectory();
    const destination = whole || !target.endsWith('/') ? into : path.join(into, path.basename(word));
    const there = path.join(stage.folder, destination);
    mkdirSync(whole ? there : path.dirname(there), { recursive: true });
    execFileSync('cp', ['-a', '--reflink=auto', whole ? `${source}/.` : source, there]);
  }
}
