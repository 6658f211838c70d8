/** From a request's head to what is done about it. */
import { redirectLocation } from '../../routing/match/rewrite.ts';
import { beginCopies } from '../filters/mirror/copies.ts';
import type { Gate } from '../filters/types.ts';
import { isFieldValue, toWire } from '../http1/characters.ts';
import { fieldValue } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request.ts';
import type { CompiledAction, CompiledRoute } from '../routes/compile.ts';
import type { Table } from '../routes/table.ts';
import { followTrace } from '../trace/follow.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { fail, finish } from './finish.ts';
import { endsHere } from './max-forwards.ts';
import { isMisdirected } from './misdirected.ts';
import { reply } from './reply.ts';
import { writeRequestHead } from './request-head.ts';
import { isIdempotent, send } from './send.ts';
import type { Client } from './wire.ts';

/** Begins the exchange for a head that was just read. */
export function beginExchange(client: Client, head: RequestHead): void {
  const exchange = createExchange(client, head);
  client.exchange = exchange;
  exchange.traceId = followTrace(head.fields, client.runtime.settings.telemetry);
  if (exchange.logged) {
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
  if (compiled.gate && turnedAway(exchange, head, compiled.gate)) return;
  const { action } = compiled;
  if (action.type === 'forward') forward(exchange, head, action, compiled, prefixLength);
  else if (action.type === 'redirect') redirect(exchange, head, action, table, prefixLength);
  else respond(exchange, action);
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

/** True when the gate has kept the request from going on; it is answered then. */
function turnedAway(exchange: Exchange, head: RequestHead, gate: Gate): boolean {
  const denial = gate(exchange, head);
  if (!denial) return false;
  reply(exchange, denial);
  finish(exchange);
  return true;
}

type Action<Type extends CompiledAction['type']> = Extract<CompiledAction, { type: Type }>;

function forward(
  exchange: Exchange,
  head: RequestHead,
  action: Action<'forward'>,
  route: CompiledRoute,
  prefixLength: number | undefined,
): void {
  const share = action.targets[action.next()];
  exchange.share = share;
  if (!share || share.answer) {
    const answer = share?.answer ?? noShare;
    fail(exchange, answer.status, answer.flag, answer.reason);
    return;
  }
  if (share.gate && turnedAway(exchange, head, share.gate)) return;
  exchange.requestText = writeRequestHead(exchange, head, share.filters.request, prefixLength);
  if (!exchange.requestDone && isIdempotent(exchange.method)) exchange.kept = [];
  if (share.mirrors) beginCopies(exchange, share.mirrors);
  if (route.requestTimeoutMs > 0) {
    exchange.requestTimer = setTimeout(onRequestTimeout, route.requestTimeoutMs, exchange);
  }
  send(exchange);
}

/** Gateway API HTTPRouteRule.backendRefs: without a backend that could take a request the answer is 500. */
const noShare = { status: 500, flag: 'invalid_backend', reason: 'no backend of this route takes requests' } as const;

function onRequestTimeout(exchange: Exchange): void {
  exchange.requestTimer = undefined;
  fail(exchange, 504, 'request_timeout', 'the request took longer than its route allows');
}

function redirect(
  exchange: Exchange,
  head: RequestHead,
  { action, filters }: Action<'redirect'>,
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
