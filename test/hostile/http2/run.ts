/** Sends cases to a subject, several at once, and keeps what came back and what the backend got. */
import { sleep } from '../http1/run.ts';
import { END, type Http2Case, pseudo, SLOW_MS } from './case.ts';
import { headers, ping } from './frames.ts';
import { block } from './hpack.ts';
import type { Outcome } from './judge.ts';
import type { Subject } from './subject.ts';
import { createPeer, greeting, openSocket, type Peer, type Place } from './wire.ts';

/** A client address per lane, by which a backend's requests are told apart. */
export const laneAddress = (lane: number) => `127.77.12.${20 + lane}`;

/** A stream that no case uses. */
const NEXT = 100_001;

export interface Patience {
  /** For what must come. */
  readonly timeoutMs: number;
  /** For the connection to be closed after GOAWAY. */
  readonly closeMs: number;
}

export async function connectPeer(from: string, place: Place, greet = true): Promise<Peer> {
  const peer = createPeer(await openSocket(from, place));
  if (!greet) return peer;
  peer.send(greeting());
  await peer.until(() => peer.settingsAcks() > 0 && peer.firstFrame() !== undefined);
  return peer;
}

export async function runCase(
  one: Http2Case,
  from: string,
  place: Place,
  subject: Pick<Subject, 'take'>,
  patience: Patience,
): Promise<Outcome> {
  subject.take(from);
  const peer = await connectPeer(from, place, !one.bare);
  await play(one, peer);
  await settle(one, peer, patience);
  const asks = one.expect.kind !== 'connection' && !one.last && !peer.over();
  const lives = asks && (await works(peer, patience.timeoutMs));
  peer.leave();
  // A request that was given up may still be on its way.
  if (one.race) await sleep(SLOW_MS);
  return { peer, lives, seen: subject.take(from).filter(({ line }) => !line.includes(' /next ')) };
}

async function play({ steps, bare }: Http2Case, peer: Peer): Promise<void> {
  // What the steps send may be cut anywhere.
  if (bare) peer.holdAcks();
  for (const step of steps) {
    const bytes = typeof step === 'function' ? await step(peer) : step;
    if (Buffer.isBuffer(bytes)) peer.send(bytes);
  }
  peer.sendAcks();
}

async function settle({ expect }: Http2Case, peer: Peer, { timeoutMs, closeMs }: Patience): Promise<void> {
  if (expect.kind === 'connection') {
    await peer.until(() => peer.over(), timeoutMs);
    await peer.until(() => peer.closed(), closeMs);
    return;
  }
  if (expect.kind === 'ignored') return;
  if (expect.kind === 'stream' && expect.orNothing) return;
  const stream = peer.stream(expect.stream);
  const isOver = () => peer.over() || stream.reset !== undefined;
  await peer.until(() => isOver() || (stream.ended && expect.kind !== 'stream'), timeoutMs);
}

const nextRequest = headers(NEXT, block(pseudo({ ':path': '/next' })), END);

/** PING and a request are answered. */
export async function works(peer: Peer, timeoutMs: number): Promise<boolean> {
  peer.send(ping('works 8!'), nextRequest);
  const next = peer.stream(NEXT);
  const answered = () => peer.pongs.has('works 8!') && next.ended && next.status === 200;
  await peer.until(() => answered() || peer.over(), timeoutMs);
  return answered();
}
