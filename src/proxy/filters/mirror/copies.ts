/**
 * Copies of requests on their way to mirrors: exchanges whose client is this file, so that they go over the same
 * connections as all others, within the same limits. Whatever a mirror does or fails to do, the original neither waits
 * for it nor hears of it.
 */
import { diagnostic } from '../../../base/diagnostics/index.ts';
import { attachmentsOf, type BodyCopy } from '../../exchange/attachments.ts';
import { joinRuns, totalOf } from '../../exchange/chunks.ts';
import { createExchange, type Exchange } from '../../exchange/exchange.ts';
import { fail, finish } from '../../exchange/finish.ts';
import { hashKeyOf } from '../../exchange/load.ts';
import { endBody, sendBody } from '../../exchange/request-body.ts';
import { send } from '../../exchange/send.ts';
import type { Client, ClientWire } from '../../exchange/wire.ts';
import { bodyKind, type RequestHead } from '../../http1/request.ts';
import type { FilterLimits } from '../../options.ts';
import type { Mirror, Target } from '../../routes/compile.ts';
import { noRoute } from '../../subrequest/subrequests.ts';
import { type CopyChanges, changedHead } from './changes.ts';

/** The copies under way in one data plane. */
export interface Mirrors {
  /** Sends a copy of a request that is about to be sent itself; its body follows as it is relayed. */
  begin(original: Exchange, due: DueCopy): void;
  close(): void;
}

/** A copy to be made. */
export interface DueCopy {
  readonly target: Target;
  /** What its endpoint follows from, where the mirror is balanced by hash. */
  readonly hashKey: number | undefined;
  /** Undefined: it is what the route's own backend gets. */
  readonly changes: CopyChanges | undefined;
}

/** The copies that are due of a request, whose head is as the client sent it. */
export function dueCopies(exchange: Exchange, head: RequestHead, mirrors: readonly Mirror[]): DueCopy[] {
  // A copy cannot take part in what follows a switch of protocols.
  if (exchange.upgrade !== undefined) return [];
  return mirrors.filter(({ chosen }) => chosen()).flatMap((mirror) => dueCopy(exchange, head, mirror) ?? []);
}

function dueCopy(exchange: Exchange, head: RequestHead, { target, changes }: Mirror): DueCopy | undefined {
  const changed = changes?.(exchange, head);
  if (changes && !changed) {
    giveUp(exchange, target, 'what was to be its host cannot be one');
    return undefined;
  }
  return { target, hashKey: hashKeyOf(exchange, head, target.upstream!), changes: changed };
}

function giveUp({ client }: Exchange, { upstream }: Target, why: string): void {
  const message = `copies for the mirror ${upstream!.id}: ${why}`;
  client.runtime.reporter.report(diagnostic('FW5220', { message }));
}

/** Who stands for the client of a copy. */
interface Copier extends Client {
  /** What has come of the body before there was a connection for it. */
  readonly waiting: Buffer[];
  waitingBytes: number;
  /** Its trailers, when all of it has come before. */
  trailers: string | undefined;
  /** The head was sent: the body follows as it comes. */
  begun: boolean;
  /** The copy is over; with what was wrong, if anything. To be called once. */
  readonly over: (problem: string | undefined) => void;
}

const copierOf = ({ client }: Exchange) => client as Copier;

const TOO_SLOW = 'the mirror does not take the body as fast as it comes';

export function createMirrors(limits: FilterLimits): Mirrors {
  const { maxMirrorCopies, mirrorBufferBytes, mirrorTimeoutMs } = limits;
  const underWay = new Set<Exchange>();

  function start(original: Exchange, due: DueCopy, say: (why: string) => void): Exchange {
    const timer = setTimeout(() => late(copy, mirrorTimeoutMs), mirrorTimeoutMs);
    timer.unref();
    const copy = createCopy(original, due, (problem) => {
      clearTimeout(timer);
      underWay.delete(copy);
      if (problem !== undefined) say(problem);
    });
    underWay.add(copy);
    // In a step of its own: the original goes first.
    queueMicrotask(() => {
      if (!copy.over) send(copy);
    });
    return copy;
  }

  return {
    begin(original, due) {
      const say = (why: string) => giveUp(original, due.target, why);
      if (underWay.size >= maxMirrorCopies) say(`${maxMirrorCopies} are under way already`);
      else if (original.requestBytes > mirrorBufferBytes && !due.changes?.withoutBody)
        say(`a body that is there as a whole has more than ${mirrorBufferBytes} bytes`);
      else {
        const copy = start(original, due, say);
        if (!copy.requestDone) attachmentsOf(original).copies.push(bodyOf(copy, mirrorBufferBytes));
      }
    },
    close() {
      for (const copy of underWay) drop(copy, undefined);
    },
  };
}

function createCopy(original: Exchange, { target, hashKey, changes }: DueCopy, over: Copier['over']): Exchange {
  const { runtime, door, socket, address, serverName } = original.client;
  const client: Copier = {
    wire: copierWire,
    runtime,
    door,
    socket,
    address,
    trusted: false,
    said: { host: '', lines: '', pairs: undefined, hostless: '' },
    serverName,
    exchange: undefined,
    ended: false,
    gone: false,
    waiting: [],
    waitingBytes: 0,
    trailers: undefined,
    begun: false,
    over,
  };
  const beginning = {
    method: original.method,
    host: original.host,
    target: original.target,
    minor: 1,
    upgrade: undefined,
    grpc: false,
    body: changes?.withoutBody ? bodyKind.none : original.requestBody,
    contentLength: changes?.withoutBody ? 0 : original.requestLeft,
    keepAlive: true,
  } as const;
  const copy = createExchange(client, beginning, false);
  client.exchange = copy;
  copy.route = noRoute;
  copy.share = target;
  copy.hashKey = hashKey;
  copy.requestText = changes ? changedHead(original.requestText, changes) : original.requestText;
  if (original.requestDone && !changes?.withoutBody) takeWhole(copy, original);
  return copy;
}

/** Of a body that came whole before the request was sent anywhere. */
function takeWhole(copy: Exchange, { kept, requestBytes, requestTrailers }: Exchange): void {
  copy.requestDone = true;
  copy.requestBytes = requestBytes;
  copy.requestTrailers = requestTrailers;
  copy.kept = kept && [...kept];
}

/** The mirror is to blame only when it has got everything. */
function late(copy: Exchange, timeoutMs: number): void {
  const why = `it took longer than ${timeoutMs} ms`;
  if (copy.requestDone) fail(copy, 504, 'upstream_timeout', why);
  else drop(copy, why);
}

/** Nobody wants the copy any more. */
function drop(copy: Exchange, problem: string | undefined): void {
  if (copy.over) return;
  copy.client.gone = true;
  copierOf(copy).over(problem);
  finish(copy);
}

/** What takes in the body of the original; `bufferBytes` of it may wait for the mirror. */
function bodyOf(copy: Exchange, bufferBytes: number): BodyCopy {
  const client = copierOf(copy);
  return {
    put(bytes, runs) {
      if (copy.over) return;
      // Memory of its own: a mirror that is slow must not keep the buffers that connections read into.
      const piece = joinRuns(bytes, runs, totalOf(runs));
      if (client.begun ? pass(copy, piece, bufferBytes) : hold(client, piece, bufferBytes)) return;
      drop(copy, TOO_SLOW);
    },
    end(trailers) {
      if (copy.over) return;
      if (client.begun) endBody(copy, trailers);
      else client.trailers = trailers;
      copy.upstream?.wire.flush(copy.upstream);
    },
    abort: () => drop(copy, undefined),
  };
}

const run = [0, 0];

function sendPiece(copy: Exchange, piece: Buffer): void {
  run[1] = piece.length;
  sendBody(copy, piece, run);
}

/** False when too much waits for the mirror. */
function pass(copy: Exchange, piece: Buffer, bufferBytes: number): boolean {
  const link = copy.upstream!;
  sendPiece(copy, piece);
  link.wire.flush(link);
  return !link.wire.isBlocked(link, bufferBytes);
}

/** False when too much waits for a connection. */
function hold(client: Copier, piece: Buffer, bufferBytes: number): boolean {
  client.waiting.push(piece);
  client.waitingBytes += piece.length;
  return client.waitingBytes <= bufferBytes;
}

/** Has no use for responses. */
const copierWire: ClientWire = {
  protocol: () => 'HTTP/1.1',
  borrows: false,
  interim() {},
  head() {},
  switched() {},
  text() {},
  data() {},
  end() {},
  answer() {},
  flush() {},
  isBlocked: () => false,
  refreshReading() {},
  relayPending(copy) {
    const client = copierOf(copy);
    client.begun = true;
    for (const piece of client.waiting.splice(0)) sendPiece(copy, piece);
    client.waitingBytes = 0;
    if (client.trailers !== undefined) endBody(copy, client.trailers);
    return true;
  },
  cut: settle,
  done: settle,
};

/** `reason` is there when the copy came to nothing. */
function settle(copy: Exchange): void {
  copierOf(copy).over(copy.reason);
}
