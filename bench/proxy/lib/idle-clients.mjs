/** Many connections from several loopback addresses, each with one request behind it. */
import { connect } from 'node:net';
import { serverName } from './certificate.mjs';
import { address, pause } from './stage.mjs';

const sources = ['127.79.251.1', '127.79.251.2', '127.79.251.3', '127.79.251.4'];
/** Connections being opened at once. */
const BATCH = 100;
const TIMEOUT_MS = 10_000;

/** Resolves when all are open and answered. `lost` counts those that the other side has closed since. */
export async function holdIdle(port, request, count) {
  const sockets = [];
  let lost = 0;
  const closed = () => lost++;
  while (sockets.length < count) {
    const wanted = Math.min(BATCH, count - sockets.length);
    const batch = Array.from({ length: wanted }, (_, i) => oneRequest(port, request, sources[i % sources.length]));
    for (const socket of await Promise.all(batch)) sockets.push(socket.once('close', closed));
  }
  return {
    lost: () => lost,
    async close() {
      for (const socket of sockets) socket.off('close', closed).resetAndDestroy();
      await pause(100);
    },
  };
}

function oneRequest(port, { path, answer }, localAddress) {
  return new Promise((settle, fail) => {
    const socket = connect({ port, host: address, localAddress });
    const late = setTimeout(() => fail(new Error('an idle connection got no answer')), TIMEOUT_MS);
    let text = '';
    socket.on('error', fail);
    socket.on('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: ${serverName}\r\n\r\n`));
    socket.on('data', (chunk) => {
      text += chunk.latin1Slice(0, chunk.length);
      if (!text.endsWith(answer)) return;
      clearTimeout(late);
      if (text.startsWith('HTTP/1.1 200 ')) settle(socket);
      else fail(new Error(text.slice(0, 100)));
    });
  });
}
