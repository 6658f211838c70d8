/**
 * Requests that are made here for the sake of another one: to a service that lets requests in, to one that has pages for
 * errors. They are exchanges whose client is this file, so that they go over the same connections as all others, within
 * the same limits, to endpoints in their turn.
 */

import type { HeaderPair } from '../../routing/plan/plan.ts';
import { createExchange, type Exchange } from '../exchange/exchange.ts';
import { finish } from '../exchange/finish.ts';
import { isIdempotent } from '../exchange/idempotent.ts';
import { send } from '../exchange/send.ts';
import type { Client, ClientWire } from '../exchange/wire.ts';
import { fieldPairs } from '../http1/fields.ts';
import { bodyKind } from '../http1/request.ts';
import type { FilterLimits } from '../options.ts';
import type { CompiledRoute, Target } from '../routes/compile.ts';

export interface Question {
  readonly target: Target;
  readonly method: string;
  readonly host: string;
  /** Request target. */
  readonly path: string;
  /** Lines with their CRLF, without Host and those of the framing. */
  readonly lines: string;
  readonly body: readonly Buffer[];
  /** Content-Length is sent whatever the method. */
  readonly sendsLength?: boolean;
  /** 0: `subrequestTimeoutMs`. */
  readonly timeoutMs: number;
}

export interface Told {
  readonly status: number;
  /** Without those of the connection. */
  readonly fields: readonly HeaderPair[];
  /** One character per byte; undefined when it is longer than `maxSubrequestBodyBytes`. */
  readonly body: string | undefined;
  /** Lines, each with its CRLF; '' when there are none, and where the body is longer. */
  readonly trailers: string;
}

/** What came of it: a response, or why there is none. */
export type Outcome = Told | { readonly problem: string };

export interface Subrequests {
  /** Asks for the sake of an exchange. `done` is called once and in a step of its own, unless what is returned gives it up. */
  ask(asker: Exchange, question: Question, done: (outcome: Outcome) => void): () => void;
}

interface Asking extends Client {
  readonly limit: number;
  readonly settle: (outcome: Outcome) => void;
  status: number;
  fields: readonly HeaderPair[];
  body: string | undefined;
  trailers: string;
}

export function createSubrequests(limits: FilterLimits): Subrequests {
  let underWay = 0;
  return {
    ask(asker, question, done) {
      if (underWay >= limits.maxSubrequests) return later(() => done({ problem: 'too many requests are under way' }));
      underWay++;
      let current: Exchange | undefined;
      let over = false;
      const leave = () => {
        if (over) return false;
        over = true;
        underWay--;
        clearTimeout(timer);
        if (current) giveUp(current);
        return true;
      };
      const settle = (outcome: Outcome) => {
        if (leave()) queueMicrotask(() => done(outcome));
      };
      const timeoutMs = question.timeoutMs || limits.subrequestTimeoutMs;
      const timer = setTimeout(() => settle({ problem: `there was no answer within ${timeoutMs} ms` }), timeoutMs);
      const begin = (again: boolean) => {
        current = start(asker, question, limits.maxSubrequestBodyBytes, again, (outcome, lost) => {
          // Whoever closed an idle connection has not seen what was sent over it.
          if (lost && !again && !over && !isIdempotent(question.method)) begin(true);
          else settle(outcome);
        });
      };
      begin(false);
      return () => {
        leave();
      };
    },
  };
}

function later(call: () => void): () => void {
  let wanted = true;
  queueMicrotask(() => {
    if (wanted) call();
  });
  return () => {
    wanted = false;
  };
}

/** Nothing of an exchange is wanted any more. */
function giveUp(exchange: Exchange): void {
  exchange.client.gone = true;
  finish(exchange);
}

function start(
  asker: Exchange,
  question: Question,
  limit: number,
  again: boolean,
  settled: (outcome: Outcome, lost: boolean) => void,
): Exchange {
  const { method, host, path, body, sendsLength = false } = question;
  const { runtime, door, socket, address, serverName } = asker.client;
  const length = body.reduce((sum, bytes) => sum + bytes.length, 0);
  const client: Asking = {
    wire: askingWire,
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
    limit,
    settle: (outcome) => settled(outcome, exchange.flag === 'upstream_reset'),
    status: 0,
    fields: [],
    body: '',
    trailers: '',
  };
  const kind = length > 0 ? bodyKind.length : bodyKind.none;
  const beginning = { method, host, target: path, minor: 1, upgrade: undefined, keepAlive: true, grpc: false } as const;
  const exchange = createExchange(client, Object.assign({ body: kind, contentLength: length }, beginning), false);
  client.exchange = exchange;
  exchange.route = noRoute;
  exchange.share = question.target;
  exchange.requestText = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${question.lines}${framing(method, length, sendsLength)}\r\n`;
  exchange.requestDone = true;
  exchange.requestBytes = length;
  exchange.repeated = again;
  if (length > 0) exchange.kept = [...body];
  queueMicrotask(() => {
    if (!exchange.over) send(exchange);
  });
  return exchange;
}

/** RFC 9110 section 8.6: methods that expect content say that there is none. */
function framing(method: string, length: number, always: boolean): string {
  return always || length > 0 || method === 'POST' || method === 'PUT' || method === 'PATCH'
    ? `Content-Length: ${length}\r\n`
    : '';
}

/** Of requests that are made here, whose limits are their own: those of the route that asks are about its own backend. */
export const noRoute: CompiledRoute = {
  route: {
    id: '',
    match: {},
    filters: [],
    action: { type: 'forward', backends: [] },
    source: { object: { apiVersion: '', kind: '', name: '' } },
  },
  gate: undefined,
  action: { type: 'forward', targets: [], next: () => 0, canary: undefined },
  affinity: undefined,
  requestTimeoutMs: 0,
  backendTimeoutMs: 0,
  idleTimeoutMs: 0,
  unlogged: true,
};

const askingOf = ({ client }: Exchange) => client as Asking;

/** Takes a response in. */
const askingWire: ClientWire = {
  protocol: () => 'HTTP/1.1',
  borrows: false,
  interim() {},
  head(exchange, head) {
    const client = askingOf(exchange);
    client.status = head.status;
    client.fields = fieldPairs(head.fields);
  },
  switched() {},
  text(exchange, text) {
    gather(exchange, text.length, () => text);
  },
  data(exchange, bytes, runs) {
    for (let i = 0; i < runs.length; i += 2) {
      const [from, to] = [runs[i]!, runs[i + 1]!];
      gather(exchange, to - from, () => bytes.toString('latin1', from, to));
    }
  },
  end(exchange, trailers) {
    askingOf(exchange).trailers = trailers;
  },
  answer(exchange) {
    askingOf(exchange).status = 0;
  },
  flush() {},
  isBlocked: () => false,
  refreshReading() {},
  relayPending: () => true,
  cut(exchange) {
    askingOf(exchange).settle({ problem: exchange.reason ?? 'the response was cut' });
  },
  done(exchange) {
    const { status, fields, body, trailers, settle } = askingOf(exchange);
    settle(status === 0 ? { problem: exchange.reason ?? 'there was no answer' } : { status, fields, body, trailers });
  },
};

/** Beyond the limit nothing of the body is wanted, and the rest of it is not waited for. */
function gather(exchange: Exchange, length: number, textOf: () => string): void {
  const client = askingOf(exchange);
  if (client.body === undefined || exchange.over) return;
  if (client.body.length + length > client.limit) {
    client.body = undefined;
    finish(exchange);
  } else client.body += textOf();
}
