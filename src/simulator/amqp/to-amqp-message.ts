import rhea from 'rhea';
import type { Message } from 'rhea';
import type { PlatformMessage } from '../platform/platform-message.js';

/** A message as it goes over the wire (protocol 3). Base64 as a client may ask for in its userName (protocol 1.4). */
export function toAmqpMessage(message: PlatformMessage, base64: boolean): Message {
  const { id, anonymous, topic, generateTime, qos, properties } = message;
  const time =
    typeof generateTime === 'number' ? { generateTime: rhea.types.wrap_long(generateTime) } : { generateTime };
  const all: Record<string, unknown> = {
    ...(topic === null ? {} : { topic }),
    ...(anonymous ? {} : { messageId: id }),
    ...(generateTime === null ? {} : time),
    ...(qos === null ? {} : { qos: rhea.types.wrap_int(qos) }),
    ...properties,
  };
  const body = base64 ? Buffer.from(message.body.toString('base64')) : message.body;
  return { ...(anonymous ? {} : { message_id: id }), application_properties: all, body: section(body, message) };
}

function section(body: Buffer, { bodyForm }: PlatformMessage): unknown {
  switch (bodyForm) {
    case 'data':
      return rhea.message.data_section(body);
    case 'several-data': {
      const middle = Math.ceil(body.length / 2);
      return rhea.message.data_sections([body.subarray(0, middle), body.subarray(middle)]);
    }
    case 'value-string':
      return body.toString('utf8');
    case 'value-binary':
      return body;
    default:
      return bodyForm satisfies never;
  }
}
