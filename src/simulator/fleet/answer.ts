import type { Command } from '../devices/downlink.js';
import type { Json } from '../devices/json.js';
import { downlinkReply, propertyPost, type Fields } from '../devices/messages.js';
import { isWithin } from '../models/check-values.js';
import type { ModelField, ThingModel } from '../models/thing-model.js';
import type { Publication } from '../platform/platform-message.js';
import type { Random } from '../random.js';
import { fillFields } from './fill-fields.js';
import type { VirtualDevice } from './virtual-device.js';

/** What becomes of a command: the code and data of protocol 7.3, and the properties that it changed. */
interface Outcome {
  readonly code: number;
  readonly message: string;
  readonly data: Fields;
  readonly changed: readonly string[];
}

const REFUSED: Outcome = { code: 460, message: 'request parameter error', data: {}, changed: [] };
const done = (data: Fields, changed: readonly string[] = []): Outcome => ({
  code: 200,
  message: 'success',
  data,
  changed,
});

/** A virtual device does what it is told and says so; what it was set to, it then reports. */
export function answerCommand(device: VirtualDevice, command: Command, random: Random, now: number): Publication[] {
  const { code, message, data, changed } = outcomeOf(device, command, random, now);
  const { requestId, service } = command;
  device.lastPacketAt = now;
  const reply = downlinkReply(device, { requestId, service, code, message, data }, now);
  if (changed.length === 0) return [reply];
  const values = device.thing.measure(now);
  const items = changed.flatMap((id): [string, { value: Json; time: number }][] => {
    const value = values[id];
    return value === undefined ? [] : [[id, { value, time: now - random.whole(1, 20) }]];
  });
  return [reply, propertyPost(device, Object.fromEntries(items), now)];
}

function outcomeOf(device: VirtualDevice, { service, params }: Command, random: Random, now: number): Outcome {
  const { model } = device.product;
  // Without a model nobody can say what is wrong with a command.
  if (!model) return done({});
  const given = Object.entries(params);
  if (service === 'property/set') {
    if (given.length === 0 || !given.every(([id, value]) => isWritable(model, id, value))) return REFUSED;
    for (const [id, value] of given) device.thing.set(id, value, now);
    return done(
      {},
      given.map(([id]) => id),
    );
  }
  const values = device.thing.measure(now);
  if (service === 'property/get') return done(values);
  const known = model.services.get(service);
  if (!known || !given.every(([id, value]) => fitsOneOf(known.inputs, id, value))) return REFUSED;
  return done(
    device.thing.call?.(known, params, now) ?? fillFields(known.outputs, { ...values, ...params }, random, now),
  );
}

function isWritable(model: ThingModel, identifier: string, value: Json): boolean {
  const property = model.properties.get(identifier);
  return property?.writable === true && isWithin(property.dataType, value);
}

function fitsOneOf(fields: readonly ModelField[], identifier: string, value: Json): boolean {
  const field = fields.find((one) => one.identifier === identifier);
  return field !== undefined && isWithin(field.dataType, value);
}
