// @ts-check

// The one exception to "nothing is thrown away": the value of `deviceSecret` is blanked wherever anything is kept.

const STRINGS = /"(?:[^"\\]|\\[^])*"/g;
const SECRET = /^"[dD]eviceSecret"$/;

/**
 * The bytes with every secret blanked that is a member of an object, in JSON or in what was JSON before it was cut. Byte for
 * byte: what is not UTF-8 stays as it is.
 * @param {Buffer} body
 */
export function withoutSecrets(body) {
  if (!body.includes('eviceSecret')) return body;
  const text = body.toString('latin1');
  let out = '';
  let done = 0;
  STRINGS.lastIndex = 0;
  for (let token = STRINGS.exec(text); token; token = STRINGS.exec(text)) {
    const after = SECRET.test(token[0]) ? /^[ \t\n\r]*:[ \t\n\r]*/.exec(text.slice(STRINGS.lastIndex)) : null;
    if (!after) continue;
    const from = STRINGS.lastIndex + after[0].length;
    const value = /^(?:"(?:[^"\\]|\\[^])*(?:"|$)|[^,}\]\n]*)/.exec(text.slice(from));
    out += `${text.slice(done, from)}""`;
    done = from + (value?.[0].length ?? 0);
    STRINGS.lastIndex = done;
  }
  return Buffer.from(out + text.slice(done), 'latin1');
}
