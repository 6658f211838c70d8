/** From a request's head to what is done about it. */
import { redirectLocation } from '../../routing/match/rewrite.ts';
import { placeOf } from '../affinity/session.ts';
import { dueCopies } from '../filters/mirror/copies.ts';
import type { Denial, Waiting } from '../filters/types.ts';
import { isFieldValue, toWire } from '../http1/characters.ts';
import { fieldValue } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request.ts';
import type { CompiledAction, CompiledRedirect } from '../routes/compile.ts';
import type { Table } from '../routes/table.ts';
import { followTrace } from '../trace/follow.ts';
import { beginSpan } from '../trace/span.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { fail, finish } from './finish.ts';
import { deadlineMs } from './grpc.ts';
import { hold, turnAway } from './hold.ts';
import { hashKeyOf } from './load.ts';
import { endsHere } from './max-forwards.ts';
import { isMisdirected } from './misdirected.ts';
import { reply } from './reply.ts';
import { writeRequestHead } from './request-head.ts';
import { prepareRetries } from './retry.ts';
import { send } from './send.ts';
import type { Client } from './wire.ts';

/** Begins the exchange for a head that was just read. */
export function beginExchange(client: Client, head: RequestHead): void {
  const exchange = createExchange(client, head);
  client.exchange = exchange;
  exchange.traceId = followTrace(head.fields, client.runtime.settings.telemetry);
  if (exchange.traceId !== undefined && client.runtime.onSpan) exchange.span = beginSpan(client, head);
  if (exchange.logged || exchange.span) {
    exchange.referer = fieldValue(head.fields, 'referer');
    exchange.userAgent = fieldValue(head.fields, 'user-agent');
  }
  if (endsHere(exchange, head)) return;
  const { table } = client.door;
  if (table.authorityOf && isMisdirected(client, head.host, table.authorityOf)) {
    answerMisdirected(exchange);
    return;
  }
  const { route, host, prefixLength } = table.matcher.match(head);
  if (!route) {
    answerUnmatched(exchange, host !== undefined);
    return;
  }
  const compiled = table.compiled(route);
  exchange.route = compiled;
  const verdict = compiled.gate?.(exchange, head);
  if (verdict) stopAtRoute(exchange, head, verdict, table, prefixLength);
  else act(exchange, head, table, prefixLength);
}

function act(exchange: Exchange, head: RequestHead, table: Table, prefixLength: number | undefined): void {
  const { action } = exchange.route!;
  if (action.type === 'forward') forward(exchange, head, action, prefixLength);
  else if (action.type === 'redirect') redirect(exchange, head, action, table, prefixLength);
  else respond(exchange, action);
}

/** Turns away what the route's gate does not let in, or holds it there. */
function stopAtRoute(
  exchange: Exchange,
  head: RequestHead,
  verdict: Denial | Waiting,
  table: Table,
  prefixLength: number | undefined,
): void {
  if ('ask' in verdict) holdBack(exchange, head, verdict, (same, again) => act(same, again, table, prefixLength));
  else turnAway(exchange, verdict);
}

function stopAtShare(
  exchange: Exchange,
  head: RequestHead,
  verdict: Denial | Waiting,
  prefixLength: number | undefined,
): void {
  if ('ask' in verdict) holdBack(exchange, head, verdict, (same, again) => sendOn(same, again, prefixLength));
  else turnAway(exchange, verdict);
}

/** The time that the route gives a request runs while it is held. */
function holdBack(
  exchange: Exchange,
  head: RequestHead,
  waiting: Waiting,
  goOn: (exchange: Exchange, head: RequestHead) => void,
): void {
  startRequestTimer(exchange, head);
  hold(exchange, head, waiting, goOn);
}

/** The client may send it again over a connection of its own (RFC 9110 section 15.5.20). */
function answerMisdirected(exchange: Exchange): void {
  const reason = 'the host belongs to another listener than the server name of the connection';
  reply(exchange, { status: 421, flag: 'misdirected', reason });
  finish(exchange);
}

function answerUnmatched(exchange: Exchange, hostKnown: boolean): void {
  reply(exchange, {
    status: 404,
    flag: hostKnown ? 'no_route' : 'no_host',
    reason: hostKnown ? 'no route matches this request' : 'no route is configured for this host',
  });
  finish(exchange);
}

type Action<Type extends CompiledAction['type']> = Extract<CompiledAction, { type: Type }>;

function forward(
  exchange: Exchange,
  head: RequestHead,
  action: Action<'forward'>,
  prefixLength: number | undefined,
): void {
  const { affinity } = exchange.route!;
  const share = action.targets[affinity ? placeOf(exchange, affinity, head, action) : action.next()];
  exchange.share = share;
  if (!share || share.answer) {
    const answer = share?.answer ?? noShare;
    fail(exchange, answer.status, answer.flag, answer.reason);
    return;
  }
  const verdict = share.gate?.(exchange, head);
  if (verdict) stopAtShare(exchange, head, verdict, prefixLength);
  else sendOn(exchange, head, prefixLength);
}

/** To the backend of the share that the request has fallen to. */
function sendOn(exchange: Exchange, head: RequestHead, prefixLength: number | undefined): void {
  const share = exchange.share!;
  if (share.redirect) {
    redirect(exchange, head, share.redirect, exchange.client.door.table, prefixLength);
    return;
  }
  if (share.upstream?.keyOf) exchange.hashKey = hashKeyOf(exchange, head, share.upstream);
  const copies = share.mirrors && dueCopies(exchange, head, share.mirrors);
  exchange.requestText = writeRequestHead(exchange, head, share.filters.request, prefixLength);
  prepareRetries(exchange);
  if (copies) for (const due of copies) exchange.client.runtime.mirrors.begin(exchange, due);
  startRequestTimer(exchange, head);
  send(exchange);
}

/** The time that the route gives a request, or a client its gRPC call when that is less. */
function startRequestTimer(exchange: Exchange, head: RequestHead): void {
  const given = exchange.route!.requestTimeoutMs;
  const asked = exchange.grpc ? deadlineMs(exchange, head) : 0;
  const limitMs = given > 0 && asked > 0 ? Math.min(given, asked) : given + asked;
  if (limitMs <= 0 || exchange.requestTimer) return;
  exchange.requestTimer = setTimeout(onRequestTimeout, limitMs, exchange);
}

/** Gateway API HTTPRouteRule.backendRefs: without a backend that could take a request the answer is 500. */
const noShare = { status: 500, flag: 'invalid_backend', reason: 'no backend of this route takes requests' } as const;

function onRequestTimeout(exchange: Exchange): void {
  exchange.requestTimer = undefined;
  fail(exchange, 504, 'request_timeout', 'the request took longer than its route or its client allows');
}

function redirect(
  exchange: Exchange,
  head: RequestHead,
  { action, filters }: CompiledRedirect,
  table: Table,
  prefixLength: number | undefined,
): void {
  const { scheme } = exchange.client.door;
  const { host, path, query } = head;
  const asked = { scheme, host, listenerPort: table.listener.port, path, query };
  const location = toWire(redirectLocation(action, asked, prefixLength));
  if (!isFieldValue(location)) {
    fail(exchange, 500, 'redirect', 'the place to redirect to cannot be written in a header');
    return;
  }
  reply(exchange, {
    status: action.status,
    flag: 'redirect',
    reason: 'see Location',
    lines: `Location: ${location}\r\n`,
    filter: filters.response,
  });
  finish(exchange);
}

function respond(exchange: Exchange, { action, filters }: Action<'respond'>): void {
  reply(exchange, {
    status: action.status,
    flag: 'fixed_response',
    reason: action.reason,
    body: action.body,
    filter: filters.response,
  });
  finish(exchange);
}
