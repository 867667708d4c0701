// @ts-check
// A consumer in a process of its own, as plain as it can be: bare frames, or rhea.
import { createHmac } from 'node:crypto';
import rhea from 'rhea';
import { peerSettings, serveQuestions } from '../bench/peer-process.mjs';
import { readFrames } from './frame-reader.mjs';

const { port, appKey, appSecret, kind, credit } = peerSettings();
const random = String(Date.now());
const username = `bench|authMode=appkey,signMethod=SHA256,random=${random},appKey=${appKey},groupId=${appKey}|`;
const password = createHmac('sha256', appSecret).update(`random=${random}`).digest('hex');
let received = 0;

if (kind === 'frames') {
  readFrames({ port, username, password, credit, onMessages: (count) => (received += count) });
} else {
  const container = rhea.create_container();
  const connection = container.connect({
    ...{ host: '127.0.0.1', port, username, password, idle_time_out: 60_000, reconnect: false },
    session_buffer_size: 8_192,
  });
  const receiver = connection.open_receiver({ credit_window: 0, autoaccept: false });
  receiver.add_credit(credit);
  container.on('message', ({ delivery }) => {
    received++;
    delivery.accept();
    receiver.add_credit(1);
  });
}

serveQuestions(() => ({ received, cpu: process.cpuUsage() }));
