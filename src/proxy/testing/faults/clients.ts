/** Clients that go away at every stage of a request, and one that stays to the end. */
import { connect as connectTls } from 'node:tls';
import { type Conversation, converse, dial } from '../sockets.ts';

export interface Front {
  readonly address: string;
  readonly port: number;
  /** Absent: no TLS. */
  readonly securePort?: number;
}

export interface Leaver {
  readonly name: string;
  /** Resolves to all that was received, when the client waited for it. */
  visit(front: Front, fault: string, round: number): Promise<string | undefined>;
}

const HALF_BODY = 'y'.repeat(50_000);
const get = (fault: string, more = '') => `GET /${fault} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`;
const post = (fault: string, length: number) =>
  `POST /${fault} HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${length}\r\n\r\n`;
const upgrade = 'Connection: upgrade\r\nUpgrade: websocket\r\n';
const sleep = (ms: number) => new Promise<void>((resume) => setTimeout(resume, ms));

/** In turn: an orderly end, a close, a reset. */
const leave = [
  async (client: Conversation) => {
    client.socket.end();
    await client.closed(1_000).catch(() => undefined);
    client.socket.destroy();
  },
  (client: Conversation) => client.socket.destroy(),
  (client: Conversation) => client.socket.resetAndDestroy(),
] as const;

/** Sends something, waits for a moment or for the first bytes, and is gone. */
function leaver(name: string, send: (fault: string) => string, waitMs: number, forBytes = false): Leaver {
  return {
    name,
    async visit({ address, port }, fault, round) {
      const client = await dial(address, port);
      client.send(send(fault));
      if (forBytes) await client.until((text) => text !== '', waitMs).catch(() => undefined);
      else if (waitMs > 0) await sleep(waitMs);
      await leave[round % leave.length]!(client);
      return undefined;
    },
  };
}

/** Waits until the data plane closes. */
async function stays({ address, port }: Front, fault: string): Promise<string> {
  const client = await dial(address, port);
  client.send(get(fault, 'Connection: close\r\n'));
  const text = await client.closed(10_000);
  client.socket.destroy();
  return text;
}

async function uploads({ address, port }: Front, fault: string, round: number): Promise<undefined> {
  const client = await dial(address, port);
  client.send(`${post(fault, 100_000)}${HALF_BODY}`);
  await sleep(round % 5);
  client.send(HALF_BODY);
  await client.until((text) => text !== '', 300).catch(() => undefined);
  client.socket.destroy();
  return undefined;
}

/** Takes nothing of what it is sent. */
async function deaf({ address, port }: Front, fault: string, round: number): Promise<undefined> {
  const client = await dial(address, port);
  client.socket.pause();
  client.send(get(fault));
  await sleep(20);
  await leave[1 + (round % 2)]!(client);
  return undefined;
}

async function overTls({ address, securePort }: Front, fault: string, round: number): Promise<undefined> {
  if (securePort === undefined) return undefined;
  if (round % 3 === 0) {
    // The beginning of a ClientHello.
    const client = await dial(address, securePort);
    client.send('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
    await leave[round % leave.length]!(client);
    return undefined;
  }
  const socket = connectTls({ host: address, port: securePort, servername: 'a.example', rejectUnauthorized: false });
  const client = converse(socket);
  client.send(get(fault));
  await client.until((text) => text !== '', round % 3 === 1 ? 5 : 300).catch(() => undefined);
  socket.destroy();
  return undefined;
}

export const leavers: readonly Leaver[] = [
  { name: 'stays to the end', visit: stays },
  leaver('leaves at once', () => '', 0),
  leaver('leaves in the head', (fault) => get(fault).slice(0, 20), 2),
  leaver('leaves after the head', (fault) => get(fault), 0),
  leaver('leaves while it waits', (fault) => get(fault), 5),
  leaver('leaves with the first bytes', (fault) => get(fault), 300, true),
  leaver('leaves in its body', (fault) => `${post(fault, 100_000)}${HALF_BODY}`, 3),
  leaver('leaves before its body', (fault) => post(fault, 100_000), 3),
  leaver('leaves a pipeline', (fault) => get(fault).repeat(4), 300, true),
  leaver('leaves a tunnel', (fault) => `${get(fault, upgrade)}bytes`, 300, true),
  { name: 'uploads', visit: uploads },
  { name: 'does not read', visit: deaf },
  { name: 'comes over TLS', visit: overTls },
];
