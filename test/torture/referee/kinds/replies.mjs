// @ts-check
import { canonical } from '../canonical.mjs';
import { event, oneFact, part, requestId, require, wholeNumber } from '../facts.mjs';
import { kind } from './kind.mjs';

// Answers to commands: 7.3.

/** Codes of the platform itself, which never reached the device. */
const NOT_BY_THE_DEVICE = ['403', '429', '9200', '9201'];

export const downlinkReply = kind({
  topic: 'downlink-reply',
  fits: (body) =>
    wholeNumber(body.get('code')) !== null &&
    body.has('requestId') &&
    ((body.get('topic') ?? null) !== null || (body.get('data') ?? null) !== null || body.has('message')),
  read(message) {
    const { body, device } = message;
    const code = wholeNumber(body.get('code'));
    require((body.get('requestId') ?? null) !== null && code !== null);
    return oneFact(message, body.get('gmtCreate'), (at) => {
      const value = canonical(part(body, ['requestId', 'code', 'message', 'topic', 'data']));
      const replied = event(device, 'command-replied', at, value, {
        requestId: requestId(body.get('requestId')) ?? '',
      });
      return NOT_BY_THE_DEVICE.includes(code) ? [replied] : [replied, { what: 'heard', device, at }];
    });
  },
});
