// @ts-check

/**
 * @import { JsonObject } from '../exact-json.mjs'
 * @import { Fact, Message } from '../facts.mjs'
 * @import { Subject } from '../naming.mjs'
 * @import { DeviceName, Topic, TopicKind } from '../topic.mjs'
 */

/**
 * One kind of message of protocol 7.
 * @typedef {object} Kind
 * @property {TopicKind} topic
 * @property {Subject} [subject]
 * @property {(body: JsonObject, topic: Topic) => boolean} fits whether the shape can be of no other kind
 * @property {(body: JsonObject) => DeviceName[]} [others] further devices that it tells news of
 * @property {(message: Message) => Fact[]} read throws `Refused`
 */

/** @param {Kind} kind */
export const kind = (kind) => kind;
