import { existsSync } from 'node:fs';
import { readDescription } from '../description-file.js';
import { behaviours, checkBehaviours, type Behaviours } from './behaviour.js';
import type { ThingModel } from './thing-model.js';

/**
 * What lies beside a model's file: `<name>.behaviour.yaml` says how its devices behave where a world file says nothing.
 * Nothing when there is no such file; throws `BadDescription` when it does not fit the model.
 */
export function behavioursBeside(modelPath: string, model: ThingModel): Behaviours {
  const file = modelPath.replace(/\.(json|ya?ml)$/i, '') + '.behaviour.yaml';
  if (!existsSync(file)) return {};
  const description = readDescription(file, behaviours);
  const found = checkBehaviours(model, description.value);
  if (found) throw description.wrong(found.path, `${found.path.join('.')}: ${found.text}`);
  return description.value;
}
