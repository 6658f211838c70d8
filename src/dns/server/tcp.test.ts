/** The end of a TCP listener: queries that had come by then are answered. */
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { encodeQuery } from '../wire/ask.ts';
import { parseQuery, type Query } from '../wire/query.ts';
import { emptyAnswer, encodeAnswer } from '../wire/response.ts';
import { bindTcp } from './tcp.ts';

const address = '127.82.11.11';

function echo(packet: Uint8Array): Uint8Array {
  const parsed = parseQuery(packet) as { query: Query };
  return encodeAnswer(parsed.query, emptyAnswer(0), { limit: 512, recursionAvailable: false });
}

function framed(id: number): Buffer {
  const query = encodeQuery('a.test', 1, { id });
  return Buffer.concat([Buffer.from([query.length >> 8, query.length & 255]), query]);
}

it('answers queries that wait in the kernel when it closes, then ends the connection', async () => {
  const bound = await bindTcp(echo, { address, port: 0 }, {});
  if (!bound.ok) throw bound.error;
  const socket = connect(bound.value.port, address);
  const received: Buffer[] = [];
  let failure: unknown;
  socket.on('data', (chunk) => received.push(chunk));
  socket.on('error', (error) => {
    failure = error;
  });
  const ended = new Promise((resolve) => socket.once('close', resolve));
  // One answer tells that the connection was accepted.
  socket.write(framed(1));
  while (received.length === 0) await new Promise((resume) => setTimeout(resume, 5));
  // Written before the call returns; nothing was read of it.
  socket.write(Buffer.concat([framed(2), framed(3)]));
  await bound.value.close(1000);
  socket.end();
  await ended;
  const bytes = Buffer.concat(received);
  const size = 2 + bytes.readUInt16BE(0);
  expect([bytes.length / size, bytes.readUInt16BE(size + 2), bytes.readUInt16BE(2 * size + 2)]).toEqual([3, 2, 3]);
  expect(failure).toBeUndefined();
});
