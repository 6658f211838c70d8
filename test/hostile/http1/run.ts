/** Sends cases raw over sockets to a proxy, several at once, and keeps what came back and what the backend got. */
import { connect } from 'node:net';
import type { RecordingBackend, SeenRequest } from '../../../src/proxy/testing/backend.ts';
import { type Conversation, converse } from '../../../src/proxy/testing/sockets.ts';

export interface Target {
  readonly address: string;
  readonly port: number;
}

/** A connection from an address of one's own. */
export function dialFrom(localAddress: string, { address, port }: Target): Promise<Conversation> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, localAddress, allowHalfOpen: true, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(converse(socket));
    });
  });
}

/** Works through the items in several lanes at once; results in the order of the items. */
export async function inLanes<Item, Result>(
  items: readonly Item[],
  lanes: number,
  work: (item: Item, lane: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const drive = async (lane: number) => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]!, lane);
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, lane) => drive(lane)));
  return results;
}

/** A client address per lane, by which a backend's requests are told apart: proxies write it in X-Forwarded-For. */
export const laneAddress = (lane: number) => `127.83.5.${20 + lane}`;

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export const statusesOf = (text: string) =>
  [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((match) => Number(match[1])).filter((status) => status >= 200);

/** Waits until the answers are there, or the peer has closed, or the time is up. */
export async function settle(
  client: Conversation,
  enough: (text: string) => boolean,
  timeoutMs: number,
): Promise<void> {
  await client.until(enough, timeoutMs).catch(() => undefined);
}

/** Waits until nothing has come for a while, or the peer has closed. */
export async function quiet(client: Conversation, firstMs: number, thenMs: number): Promise<void> {
  await settle(client, (text) => text !== '', firstMs);
  for (let before = -1; before !== client.text().length; ) {
    before = client.text().length;
    await settle(client, (text) => text.length > before, thenMs);
  }
}

/** Takes the requests out of a backend's record that came from a client, as X-Forwarded-For names it. */
export function takeSeen(backend: RecordingBackend, client: string): SeenRequest[] {
  const mine = backend.requests.filter((request) => clientOf(request) === client);
  for (const request of mine) backend.requests.splice(backend.requests.indexOf(request), 1);
  return mine;
}

function clientOf({ lines }: SeenRequest): string | undefined {
  return lines.map((line) => /^x-forwarded-for: *(.*)$/i.exec(line)?.[1]).find((value) => value !== undefined);
}
