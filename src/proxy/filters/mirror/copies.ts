/**
 * Copies of requests on their way to mirrors, over connections of their own: whatever a mirror does or fails to do, the
 * original neither waits for it nor hears of it.
 */
import { connect, type Socket } from 'node:net';
import { diagnostic } from '../../../base/diagnostics/index.ts';
import { type Attachments, attachmentsOf, type BodyCopy, copyBody, endCopies } from '../../exchange/attachments.ts';
import { putRuns } from '../../exchange/chunks.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { bodyKind } from '../../http1/request.ts';
import { createResponseHead } from '../../http1/response.ts';
import type { Settings } from '../../options.ts';
import { createOutbox, flush, type Outbox } from '../../outbox.ts';
import type { Mirror } from '../../routes/compile.ts';
import type { Pool } from '../../upstream/pool.ts';
import { nextTarget } from '../../upstream/upstreams.ts';
import { type AnswerReader, createAnswerReader } from './answer.ts';

/** The connections to mirrors of one data plane. */
export interface Mirrors {
  /** Sends a copy of the request whose head was just written; its body follows as it is relayed. */
  begin(exchange: Exchange, mirror: Mirror): void;
  /** Closes connections that have been idle for too long. */
  expire(now: number): void;
  close(): void;
}

/** Sends copies to those of the mirrors whose turn it is. */
export function beginCopies(exchange: Exchange, mirrors: readonly Mirror[]): void {
  // A copy cannot take part in what follows a switch of protocols.
  if (exchange.upgrade !== undefined) return;
  for (const mirror of mirrors) {
    if (mirror.chosen()) exchange.client.runtime.mirrors.begin(exchange, mirror);
  }
  if (exchange.requestDone && exchange.attached) copyKept(exchange, exchange.attached);
}

/** Of a body that came whole before the request was sent anywhere. */
function copyKept({ kept, requestTrailers }: Exchange, attached: Attachments): void {
  for (const bytes of kept ?? []) copyBody(attached, bytes, [0, bytes.length]);
  endCopies(attached, requestTrailers);
}

interface Connection {
  readonly pool: Pool;
  readonly socket: Socket;
  readonly out: Outbox;
  copy: Copy | undefined;
  /** It has carried a copy before. */
  reused: boolean;
  idleUntil: number;
}

interface Copy {
  readonly read: AnswerReader;
  /** The whole request, while it may be sent once more; '' otherwise. */
  repeat: string;
  readonly isHead: boolean;
  readonly giveUp: (why: string) => void;
  readonly timer: NodeJS.Timeout;
  sent: boolean;
  answered: boolean;
}

export function createMirrors(settings: Settings): Mirrors {
  const { maxMirrorCopies, mirrorBufferBytes, mirrorTimeoutMs, maxIdleMirrorsPerEndpoint } = settings.filters;
  const connections = new Set<Connection>();
  const idle = new Map<Pool, Connection[]>();
  const head = createResponseHead(settings.upstream.maxHeaders);
  let underWay = 0;
  let now = performance.now();

  function open(pool: Pool): Connection {
    const socket = connect({ host: pool.address, port: pool.port, noDelay: true });
    const connection: Connection = {
      pool,
      socket,
      out: createOutbox(socket),
      copy: undefined,
      reused: false,
      idleUntil: 0,
    };
    connections.add(connection);
    let error: string | undefined;
    socket.on('data', (bytes) => received(connection, bytes));
    socket.on('error', (cause) => {
      error = cause.message;
    });
    socket.on('close', () => closed(connection, error));
    return connection;
  }

  function take(pool: Pool): Connection {
    const connection = idle.get(pool)?.pop();
    if (!connection) return open(pool);
    connection.reused = true;
    return connection;
  }

  function received(connection: Connection, bytes: Buffer): void {
    const { copy } = connection;
    if (!copy) {
      connection.socket.destroy();
      return;
    }
    copy.answered = true;
    const state = copy.read(bytes);
    if (state === 'more') return;
    settle(connection);
    const kept = idle.get(connection.pool) ?? [];
    if (state === 'over' || !copy.sent || connection.pool.draining || kept.length >= maxIdleMirrorsPerEndpoint) {
      connection.socket.destroy();
      return;
    }
    connection.idleUntil = now + settings.upstream.idleTimeoutMs;
    kept.push(connection);
    idle.set(connection.pool, kept);
  }

  /** The copy has nothing more to do with its connection. */
  function settle(connection: Connection): void {
    const { copy } = connection;
    if (!copy) return;
    clearTimeout(copy.timer);
    connection.copy = undefined;
    underWay--;
  }

  function closed(connection: Connection, error: string | undefined): void {
    connections.delete(connection);
    const { copy, pool } = connection;
    if (!copy) {
      forget(connection);
      return;
    }
    settle(connection);
    // An idle connection that the mirror closed as it was taken: the copy has not been seen.
    if (connection.reused && !copy.answered && copy.repeat !== '')
      dispatch(open(pool), copy.repeat, copy.isHead, copy.giveUp);
    else if (!copy.answered) copy.giveUp(error ?? 'the mirror closed the connection');
  }

  function forget(connection: Connection): void {
    const kept = idle.get(connection.pool);
    const at = kept?.indexOf(connection) ?? -1;
    if (at >= 0) kept!.splice(at, 1);
    if (kept?.length === 0) idle.delete(connection.pool);
  }

  /** Sends the beginning of a copy, or all of it. */
  function dispatch(connection: Connection, text: string, isHead: boolean, giveUp: Copy['giveUp']): Copy {
    const late = () => {
      giveUp(`it took longer than ${mirrorTimeoutMs} ms`);
      drop(connection);
    };
    const timer = setTimeout(late, mirrorTimeoutMs);
    timer.unref();
    const read = createAnswerReader(head, isHead, settings);
    const copy: Copy = { read, repeat: '', isHead, giveUp, timer, sent: true, answered: false };
    connection.copy = copy;
    underWay++;
    connection.out.text = text;
    flush(connection.out);
    return copy;
  }

  function drop(connection: Connection): void {
    settle(connection);
    connection.socket.destroy();
  }

  function bodyOf(connection: Connection, copy: Copy, chunked: boolean): BodyCopy {
    const { out, socket } = connection;
    const isGone = () => connection.copy !== copy || socket.destroyed;
    return {
      put(bytes, runs) {
        if (isGone()) return;
        putRuns(out, bytes, runs, chunked, false);
        flush(out);
        if (socket.writableLength <= mirrorBufferBytes) return;
        copy.giveUp('the mirror does not take the body as fast as it comes');
        drop(connection);
      },
      end(trailers) {
        if (isGone()) return;
        copy.sent = true;
        if (chunked) out.text += `0\r\n${trailers}\r\n`;
        flush(out);
      },
      abort() {
        if (!isGone()) drop(connection);
      },
    };
  }

  return {
    begin(exchange, { upstream }) {
      const { reporter } = exchange.client.runtime;
      const giveUp = (why: string) =>
        reporter.report(diagnostic('FW5220', { message: `copies for the mirror ${upstream.id}: ${why}` }));
      if (underWay >= maxMirrorCopies) {
        giveUp(`${maxMirrorCopies} are under way already`);
        return;
      }
      const pool = nextTarget(upstream, undefined);
      if (!pool) {
        giveUp('it has no ready endpoints');
        return;
      }
      const text = exchange.requestText;
      const connection = take(pool);
      const copy = dispatch(connection, text, exchange.isHead, giveUp);
      if (exchange.requestBytes === 0 && exchange.requestDone) {
        copy.repeat = text;
        return;
      }
      copy.sent = false;
      attachmentsOf(exchange).copies.push(bodyOf(connection, copy, exchange.requestBody === bodyKind.chunked));
    },
    expire(time) {
      now = time;
      for (const kept of [...idle.values()]) {
        for (const connection of [...kept]) {
          if (connection.idleUntil > now && !connection.pool.draining) continue;
          forget(connection);
          connection.socket.destroy();
        }
      }
    },
    close() {
      for (const connection of connections) drop(connection);
    },
  };
}
