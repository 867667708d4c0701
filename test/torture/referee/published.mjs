// @ts-check

// A message on its way from the platform to a consumer (protocol 3): what stands in a journal, and what a consumer hears.

/**
 * One message as the platform published it.
 * @typedef {object} Published
 * @property {string | null} id
 * @property {string | null} topic
 * @property {string | number | null} generateTime
 * @property {Readonly<Record<string, unknown>>} properties further application properties; they win over those above
 * @property {Buffer} body
 */

/**
 * @param {{ readonly id: string, readonly anonymous: boolean, readonly topic: string | null, readonly body: Buffer,
 *   readonly bodyForm: string, readonly generateTime: string | number | null,
 *   readonly properties: Readonly<Record<string, unknown>> }} message as the simulator's `onPublished` tells it
 * @returns {Published}
 */
export function asPublished({ id, anonymous, topic, body, bodyForm, generateTime, properties }) {
  // an AMQP string can only be UTF-8
  const bytes = bodyForm === 'value-string' ? Buffer.from(body.toString()) : body;
  return { id: anonymous ? null : id, topic, generateTime, properties, body: bytes };
}

/**
 * The names that a consumer goes by: texts, and an empty one is none.
 * @param {Published} published
 */
export function namesOf({ id, topic, generateTime, properties }) {
  const usual = { messageId: id, topic, generateTime };
  const told = (/** @type {keyof typeof usual} */ name) => {
    const value = Object.hasOwn(properties, name) ? properties[name] : usual[name];
    return value === null || value === undefined ? null : value;
  };
  const text = (/** @type {unknown} */ value) => (value === null || value === '' ? null : String(value));
  const sentTopic = told('topic');
  return {
    messageId: text(told('messageId')) ?? text(id),
    topic: typeof sentTopic === 'string' ? text(sentTopic) : null,
    generateTime: text(told('generateTime')),
  };
}
