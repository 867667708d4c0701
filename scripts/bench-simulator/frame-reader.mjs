// @ts-check
// A consumer that does as little as AMQP 1.0 allows, so that what is measured is the simulator: it reads the lengths of frames,
// accepts ranges of deliveries with one disposition for each read, and gives the credit back.
import net from 'node:net';

/** Delivery ids are uints of 32 bits. */
const wrap = (/** @type {number} */ id) => id >>> 0;

/**
 * @param {{ port: number, username: string, password: string, credit: number, onMessages: (count: number) => void }} options
 * @returns {net.Socket}
 */
export function readFrames({ port, username, password, credit, onMessages }) {
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.setNoDelay(true);
  let sasl = true;
  let headers = 0;
  let received = 0;
  let lastId = -1;
  let firstUnanswered = 0;
  let held = Buffer.alloc(0);

  socket.write(Buffer.from([0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0]));
  const init = [sym('PLAIN'), bin(Buffer.from(`\0${username}\0${password}`))];
  socket.write(frame(1, performative(0x41, init)));

  const openAll = () => {
    socket.write(Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0]));
    const nothing = Buffer.from([0x40]);
    socket.write(frame(0, performative(0x10, [str('frame-reader'), nothing, uint(65_536), nothing, uint(60_000)])));
    socket.write(frame(0, performative(0x11, [nothing, uint(0), uint(2 ** 31 - 1), uint(2 ** 31 - 1)])));
    const source = performative(0x28, [str('default')]);
    const target = performative(0x29, []);
    const receiver = Buffer.from([0x41]);
    socket.write(frame(0, performative(0x12, [str('link'), uint(0), receiver, nothing, nothing, source, target])));
    flow();
  };
  const flow = () => {
    const window = uint(2 ** 31 - 1);
    const fields = [uint(wrap(lastId + 1)), window, uint(0), window, uint(0), uint(received), uint(credit)];
    socket.write(frame(0, performative(0x13, fields)));
  };
  const answer = () => {
    const accepted = performative(0x24, []);
    const fields = [Buffer.from([0x41]), uint(firstUnanswered), uint(lastId), Buffer.from([0x41]), accepted];
    socket.write(frame(0, performative(0x15, fields)));
    firstUnanswered = lastId + 1;
  };

  socket.on('data', (chunk) => {
    const data = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    let offset = 0;
    let messages = 0;
    for (;;) {
      if (headers < (sasl ? 1 : 2)) {
        if (data.length - offset < 8) break;
        offset += 8;
        headers++;
        continue;
      }
      if (data.length - offset < 8) break;
      const size = data.readUInt32BE(offset);
      if (data.length - offset < size) break;
      const body = offset + 4 * (data[offset + 4] ?? 2);
      offset += size;
      if (body === offset) continue; // a heartbeat
      const code = data[body + 2];
      if (code === 0x44) {
        sasl = false;
        openAll();
      } else if (code === 0x14) {
        // What the simulator sends fits one frame here, so that each transfer is one delivery.
        messages++;
        lastId++;
      } else if (code === 0x18 || code === 0x16) {
        throw new Error('the simulator closed the connection or the link');
      }
    }
    held = Buffer.from(data.subarray(offset));
    if (messages === 0) return;
    received += messages;
    socket.cork();
    answer();
    flow();
    process.nextTick(() => socket.uncork());
    onMessages(messages);
  });
  return socket;
}

/** @param {number} type @param {Buffer} body */
function frame(type, body) {
  const buffer = Buffer.alloc(8);
  buffer.writeUInt32BE(8 + body.length);
  buffer[4] = 2;
  buffer[5] = type;
  return Buffer.concat([buffer, body]);
}

/** @param {number} code @param {Buffer[]} fields */
function performative(code, fields) {
  const content = Buffer.concat(fields);
  const head = Buffer.alloc(12);
  head[1] = 0x53;
  head[2] = code;
  head[3] = 0xd0;
  head.writeUInt32BE(content.length + 4, 4);
  head.writeUInt32BE(fields.length, 8);
  return Buffer.concat([head, content]);
}

/** @param {number} code @param {Buffer} content */
function sized(code, content) {
  const head = Buffer.alloc(5);
  head[0] = code;
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}
const str = (/** @type {string} */ text) => sized(0xb1, Buffer.from(text));
const sym = (/** @type {string} */ text) => sized(0xb3, Buffer.from(text));
const bin = (/** @type {Buffer} */ bytes) => sized(0xb0, bytes);
const uint = (/** @type {number} */ value) => {
  const buffer = Buffer.alloc(5);
  buffer[0] = 0x70;
  buffer.writeUInt32BE(value, 1);
  return buffer;
};
