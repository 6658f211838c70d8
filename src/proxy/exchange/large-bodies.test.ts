/**
 * Bodies from one byte to several megabytes, both ways at once, over HTTP/1.1, TLS and HTTP/2, with readers that are slow
 * or go away: what arrives is what was sent. Read buffers are few, so that every way of using them comes up.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  type RequestOptions,
  request,
  type ServerResponse,
} from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront, type Front } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route } from '../testing/plans.ts';

const address = '127.77.15.2';
const MiB = 1_048_576;
/** Each body is a part of this, so that bytes of another one are told from its own. */
const noise = randomBytes(8 * MiB);

interface Body {
  readonly from: number;
  readonly size: number;
}

const partOf = ({ from, size }: Body) => noise.subarray(from, from + size);
const digest = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');
const pause = (ms: number) => new Promise((settle) => setTimeout(settle, ms));

/** Numbers that are the same in each run. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const roll = dice(15);
const sizes = [1, 100, 8_192, 8_193, 65_535, 65_536, 65_537, 100_000, 262_144, 262_145, 700_000, MiB, 3 * MiB];
const someBody = (): Body => {
  const size = sizes[roll(sizes.length)]!;
  return { size, from: roll(noise.length - size) };
};

/** Settles when it takes more, or never will. */
function room(to: Writable): Promise<void> {
  return new Promise((settle) => {
    const done = () => {
      to.off('drain', done).off('close', done);
      settle();
    };
    to.on('drain', done).on('close', done);
  });
}

/** Writes in pieces of all sizes, with a break here and there. */
async function send(to: Writable, bytes: Buffer, breaks: boolean): Promise<void> {
  for (let at = 0; at < bytes.length && !to.destroyed; ) {
    const end = at + 1 + roll(400_000);
    if (!to.write(bytes.subarray(at, end))) await room(to);
    if (breaks && roll(4) === 0) await pause(roll(5));
    at = end;
  }
  to.end();
}

/** Reads all of it; `lazy` leaves it waiting in between. */
async function take(from: Readable, lazy: boolean): Promise<string> {
  const hash = createHash('sha1');
  for await (const chunk of from) {
    hash.update(chunk as Buffer);
    if (lazy && roll(3) === 0) await pause(roll(8));
  }
  return hash.digest('hex');
}

/** Answers with the part that the target asks for; of a body that comes, its digest is in a header or a trailer. */
async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = new URL(incoming.url!, 'http://a').searchParams;
  const bytes = partOf({ from: Number(asked.get('from')), size: Number(asked.get('size')) });
  if (asked.get('how') === 'length') response.setHeader('Content-Length', bytes.length);
  if (asked.get('how') === 'close') response.setHeader('Connection', 'close');
  if (asked.get('order') === 'after') response.setHeader('Digest-Of-Request', await take(incoming, roll(4) === 0));
  else incoming.resume();
  await send(response, bytes, roll(3) === 0);
}

const origin = createServer((incoming, response) => void answer(incoming, response).catch(() => response.destroy()));
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const tlsAgent = new TlsAgent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false });
const certificate = hasOpenssl() ? selfSigned('c', 'a.example') : undefined;
if (!certificate) console.log('large bodies without TLS: openssl is not installed');

type Protocol = 'http' | 'https' | 'h2c';
const protocols: readonly Protocol[] = certificate ? ['http', 'http', 'https', 'h2c'] : ['http', 'h2c'];
const ports: Readonly<Record<Protocol, number>> = { http: 8080, https: 8443, h2c: 8080 };

interface Transfer {
  readonly protocol: Protocol;
  readonly body: Body;
  readonly upload: Body | undefined;
  readonly how: string;
  readonly lazy: boolean;
  /** The client goes away in the midst of it. */
  readonly leaves: boolean;
}

function someTransfer(): Transfer {
  return {
    protocol: protocols[roll(protocols.length)]!,
    body: someBody(),
    upload: roll(2) === 0 ? someBody() : undefined,
    how: ['length', 'chunked', 'close'][roll(3)]!,
    lazy: roll(4) === 0,
    leaves: roll(12) === 0,
  };
}

/** Both sides of one request of any protocol. */
interface Sides {
  readonly up: Writable;
  readonly down: Promise<Readable & { digest?: string }>;
}

const targetOf = ({ body, upload, how }: Transfer) =>
  `/?from=${body.from}&size=${body.size}&how=${how}&order=${upload ? 'after' : 'now'}`;

function ask(transfer: Transfer): Sides {
  const { protocol, upload } = transfer;
  const options: RequestOptions = {
    host: address,
    port: ports[protocol],
    path: targetOf(transfer),
    method: upload ? 'POST' : 'GET',
    headers: { Host: 'a.example', ...(upload && roll(2) === 0 && { 'Content-Length': upload.size }) },
  };
  const up = protocol === 'https' ? requestTls({ ...options, agent: tlsAgent }) : request({ ...options, agent });
  const down = once(up, 'response').then(([response]: IncomingMessage[]) =>
    Object.assign(response!, { digest: response!.headers['digest-of-request'] as string }),
  );
  return { up, down };
}

function askHttp2(transfer: Transfer): Sides {
  const session = connectHttp2(`http://${address}:${ports.h2c}`);
  session.on('error', () => {});
  const up = session.request({
    ':path': targetOf(transfer),
    ':method': transfer.upload ? 'POST' : 'GET',
    ':authority': 'a.example',
  });
  up.on('close', () => session.close());
  const down = once(up, 'response').then(([headers]: Record<string, string>[]) =>
    Object.assign(up, { digest: headers!['digest-of-request'] as string }),
  );
  return { up, down };
}

async function carry(transfer: Transfer): Promise<void> {
  const { up, down } = transfer.protocol === 'h2c' ? askHttp2(transfer) : ask(transfer);
  const { body, upload, lazy, leaves } = transfer;
  up.on('error', () => {});
  if (upload) send(up, partOf(upload), false).catch(() => {});
  else up.end();
  if (leaves) {
    down.catch(() => {});
    await pause(5 + roll(30));
    up.destroy();
    return;
  }
  const response = await down;
  expect(await take(response, lazy), JSON.stringify(transfer)).toBe(digest(partOf(body)));
  if (upload) expect(response.digest, `upload of ${JSON.stringify(transfer)}`).toBe(digest(partOf(upload)));
}

describe.each([0, 2, 64])('large bodies with %d read buffers', (maxReadBuffers) => {
  let front: Front;

  beforeAll(async () => {
    if (!origin.listening) await once(origin.listen(0, address), 'listening');
    front = createFront({ relay: { maxReadBuffers } });
    await front.endpoints({ app: [endpoint(address, (origin.address() as AddressInfo).port)] });
    const hosts = [host('*', [route()])];
    const tls = { certificates: [{ serverName: '*', certificate: 'c' }] };
    const doors = [listener(address, ports.http, hosts)];
    if (certificate) doors.push(listener(address, ports.https, hosts, { protocol: 'HTTPS', tls }));
    await front.plan(planOf(doors, [backend('app')], certificate ? [certificate] : []));
  });

  afterAll(async () => {
    agent.destroy();
    tlsAgent.destroy();
    await front.close();
  });

  it('arrive as they were sent', { timeout: 60_000 }, async () => {
    let left = 90;
    const client = async () => {
      while (left-- > 0) await carry(someTransfer());
    };
    await Promise.all(Array.from({ length: 12 }, client));
  });
});

afterAll(() => {
  origin.closeAllConnections();
  origin.close();
});
