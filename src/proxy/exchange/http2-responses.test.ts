/** Responses of backends over HTTP/2 that only a backend gives which writes its frames itself. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFrameReader, readFrames } from '../http2/engine/frames.ts';
import { flag, frameType } from '../http2/engine/protocol.ts';
import { block, frame, settingsFrame } from '../http2/engine/testing.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { type Backdrop, dial, listenRaw } from '../testing/sockets.ts';

const address = '127.83.90.2';
const front = createFront();
let app: Backdrop;
/** Frames with which a stream is answered. */
let answer: (stream: number) => string = () => '';

function serve(socket: Socket): void {
  const reader = createFrameReader();
  socket.write(settingsFrame(), 'latin1');
  socket.on('data', (chunk: Buffer) => {
    readFrames(reader, chunk, 0, (type, flags, stream) => {
      const isAsked = type === frameType.settings && !(flags & flag.ack);
      if (isAsked) socket.write(frame(frameType.settings, flag.ack, 0), 'latin1');
      if (type === frameType.headers) socket.write(answer(stream), 'latin1');
      return true;
    });
  });
}

beforeAll(async () => {
  app = await listenRaw(address, 8081, serve);
  await front.endpoints({ app: [endpoint(address, 8081)] });
  await front.plan(planOf([listener(address, 8080, [host('*', [route()])])], [backend('app', 'h2c')]));
});

afterAll(async () => {
  await front.close();
  await app.close();
});

describe('a response that has no body, and says so in an empty DATA frame', () => {
  it.each([204, 304])('%d has none over HTTP/1.1 either', async (status) => {
    const head = block([[':status', String(status)]]);
    answer = (stream) =>
      frame(frameType.headers, flag.endHeaders, stream, head) + frame(frameType.data, flag.endStream, stream);
    const client = await dial(address, 8080);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until('\r\n\r\n');
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const text = await client.closed();
    expect(text.replaceAll(/Date: .*\r\n/g, '')).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} .*\r\n\r\nHTTP/1\\.1 ${status} .*\r\nConnection: close\r\n\r\n$`),
    );
    client.socket.destroy();
  });
});
