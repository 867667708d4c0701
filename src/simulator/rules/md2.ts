/** The permutation of RFC 1319, from the digits of pi. */
const PI = Buffer.from(
  '292e43c9a2d87c013d3654a1ecf0061362a705f3c0c7738c98932bd9bc4c82ca1e9b573cfdd4e01667426f188a17e512' +
    'be4ec4d6da9ede49a0fbf58ebb2fee7aa968799115b2073f94c210890b225f21807f5d9a5a903227353ecce7bff79703' +
    'ff1930b348a5b5d1d75e922aac56aac64fb838d296a47db676fc6be29c7404f1459d705964718720865bcf65e62da802' +
    '1b6025adaeb0b9f61c46616934407e0f5547a323dd51af3ac35cf9cebac5ea262c530d6e85288409d3dfcdf441814d52' +
    '6adc37c86cc1abfa24e17b080cbdb14a7888958be363e86de9cbd5fe3b001d39f2efb70e6658d0e4a67772f8eb754b0a' +
    '314450b48fed1f1adb998d339f118314',
  'hex',
);
const BLOCK = 16;

/** MD2 (RFC 1319), which the platform's `crypto` offers and OpenSSL does no more. */
export function md2(data: Uint8Array): Buffer {
  const padding = BLOCK - (data.length % BLOCK);
  const padded = Buffer.concat([data, Buffer.alloc(padding, padding)]);
  const checksum = Buffer.alloc(BLOCK);
  let last = 0;
  for (let i = 0; i < padded.length; i++) {
    const at = i % BLOCK;
    checksum[at] = last = byte(checksum, at) ^ byte(PI, byte(padded, i) ^ last);
  }
  const message = Buffer.concat([padded, checksum]);
  const state = Buffer.alloc(3 * BLOCK);
  for (let start = 0; start < message.length; start += BLOCK) {
    for (let i = 0; i < BLOCK; i++) {
      state[BLOCK + i] = byte(message, start + i);
      state[2 * BLOCK + i] = byte(message, start + i) ^ byte(state, i);
    }
    let mixed = 0;
    for (let round = 0; round < 18; round++) {
      for (let i = 0; i < state.length; i++) state[i] = mixed = byte(state, i) ^ byte(PI, mixed);
      mixed = (mixed + round) % 256;
    }
  }
  return state.subarray(0, BLOCK);
}

const byte = (buffer: Buffer, at: number): number => buffer[at] ?? 0;
