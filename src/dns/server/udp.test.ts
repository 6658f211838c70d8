/** The end of a UDP socket: what had come by then is answered. */
import { createSocket } from 'node:dgram';
import { afterEach, expect, it } from 'vitest';
import { encodeQuery } from '../wire/ask.ts';
import { parseQuery, type Query } from '../wire/query.ts';
import { emptyAnswer, encodeAnswer } from '../wire/response.ts';
import { bindUdp } from './udp.ts';

const address = '127.82.11.10';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function echo(packet: Uint8Array): Uint8Array {
  const parsed = parseQuery(packet) as { query: Query };
  return encodeAnswer(parsed.query, emptyAnswer(0), { limit: 512, recursionAvailable: false });
}

/** A client whose packets are in the kernel when `send` returns: it looks up no address. */
async function clientOf(port: number) {
  const client = createSocket({ type: 'udp4', lookup: (host, _, found) => found(null, host, 4) });
  await new Promise<void>((resolve) => client.bind(0, address, resolve));
  closers.push(() => client.close());
  const state = { send: (packet: Uint8Array) => client.send(packet, port, address), answers: 0 };
  client.on('message', () => state.answers++);
  return state;
}

it('answers queries that wait in the kernel when it closes, also those that take a while', async () => {
  const late = (packet: Uint8Array) =>
    packet[1]! % 2 === 0 ? echo(packet) : new Promise<Uint8Array>((done) => setTimeout(() => done(echo(packet)), 40));
  const bound = await bindUdp(late, { address, port: 0 }, {});
  if (!bound.ok) throw bound.error;
  const state = await clientOf(bound.value.port);
  // Nothing was read yet: reading needs a turn.
  for (let id = 0; id < 150; id++) state.send(encodeQuery('a.test', 1, { id }));
  await bound.value.close(2000);
  await new Promise((resume) => setTimeout(resume, 30));
  expect(state.answers).toBe(150);
});

it('does not wait for the end of a flood', async () => {
  const bound = await bindUdp(echo, { address, port: 0 }, {});
  if (!bound.ok) throw bound.error;
  const { send } = await clientOf(bound.value.port);
  const query = encodeQuery('a.test', 1);
  let flooding = true;
  const flood = () => {
    if (!flooding) return;
    for (let i = 0; i < 20; i++) send(query);
    setImmediate(flood);
  };
  flood();
  closers.unshift(() => {
    flooding = false;
  });
  const startedAt = performance.now();
  await bound.value.close(200);
  expect(performance.now() - startedAt).toBeLessThan(1000);
});
