// @ts-check
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PlainError } from '../../scripts/plain-error.mjs';
import { faultOf, faultOfReplay, rawOf } from './checks.mjs';
import { loadCode } from './code.mjs';
import { fromJson } from './input.mjs';

/**
 * Tries the input of a finding again and tells what becomes of it.
 * @param {string} root
 * @param {string} file
 * @returns {Promise<number>} exit code
 */
export async function replay(root, file) {
  let input;
  try {
    input = fromJson(JSON.parse(readFileSync(file, 'utf8')).input);
  } catch (error) {
    throw new PlainError(`${file} is no finding of the fuzzer: ${error instanceof Error ? error.message : error}`);
  }
  const code = await loadCode(path.join(root, 'dist'));
  const began = performance.now();
  const fault = faultOf(code, input) ?? (await faultOfReplay(code, input));
  const took = performance.now() - began;
  if (fault === null) {
    const { events, refusal } = code.decodeMessage(rawOf(code, input), { bodyIdentity: 'any' });
    console.log(JSON.stringify(refusal ?? events, null, 2).slice(0, 4_000));
    console.log(`No fault, in ${took.toFixed(1)} ms.`);
    return 0;
  }
  console.log(`${fault.rule}, after ${took.toFixed(1)} ms\n${fault.detail}`);
  return 1;
}
