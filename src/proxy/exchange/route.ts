/** From a request's head to what is done about it. */
import type { MatchResult } from '../../routing/match/matcher.ts';
import { normalPath } from '../../routing/match/normal-path.ts';
import { redirectLocation } from '../../routing/match/rewrite.ts';
import { placeOf } from '../affinity/session.ts';
import { dueCopies } from '../filters/mirror/copies.ts';
import type { Denial, Waiting } from '../filters/types.ts';
import { isFieldValue, toWire } from '../http1/characters.ts';
import { fieldValue } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request.ts';
import { beginNotes } from '../log/line/notes.ts';
import { isEmpty, nextPlace } from '../routes/canary.ts';
import type { Answer, CompiledAction, CompiledRedirect, Target } from '../routes/compile.ts';
import type { Table } from '../routes/table.ts';
import { followTrace } from '../trace/follow.ts';
import { beginSpan } from '../trace/span.ts';
import { answersChallenge } from './acme-challenge.ts';
import { collectBody } from './collect-body.ts';
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
    beginNotes(exchange, head);
  }
  if (endsHere(exchange, head)) return;
  const { table } = client.door;
  if (table.challenges && answersChallenge(exchange, head, table.challenges)) return;
  if (table.authorityOf && isMisdirected(client, head.host, table.authorityOf)) {
    answerMisdirected(exchange);
    return;
  }
  const found = table.matcher.match(head);
  const { route, prefixLength } = found;
  exchange.patternSteps = table.matcher.patternSteps;
  if (exchange.notes && found.host) exchange.notes.hostname = found.host.hostname;
  if (!route) {
    answerUnmatched(exchange, found);
    return;
  }
  head.normalPath = found.paths === undefined ? '' : normalPath(head.path)!;
  const compiled = table.compiled(route);
  exchange.route = compiled;
  if (compiled.unlogged) exchange.logged = false;
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

function answerUnmatched(exchange: Exchange, { host, badPath, tooCostly }: MatchResult): void {
  reply(exchange, badPath ? badPathAnswer : tooCostly ? tooCostlyAnswer : host ? noRouteAnswer : noHostAnswer);
  finish(exchange);
}

const noRouteAnswer = { status: 404, flag: 'no_route', reason: 'no route matches this request' } as const;
const noHostAnswer = { status: 404, flag: 'no_host', reason: 'no route is configured for this host' } as const;
const tooCostlyAnswer = {
  status: 414,
  flag: 'bad_request',
  reason: 'the patterns of this host would take too many steps for a path of this length',
} as const;
const badPathAnswer = {
  status: 400,
  flag: 'bad_request',
  reason: 'the path leaves the root or cannot be decoded',
} as const;

type Action<Type extends CompiledAction['type']> = Extract<CompiledAction, { type: Type }>;

function forward(
  exchange: Exchange,
  head: RequestHead,
  action: Action<'forward'>,
  prefixLength: number | undefined,
): void {
  const { affinity } = exchange.route!;
  const chosen =
    action.targets[affinity ? placeOf(exchange, affinity, head, action) : nextPlace(action, exchange, head)];
  const share = chosen?.otherwise ? standIn(exchange, chosen, chosen.otherwise) : chosen;
  exchange.share = share;
  if (!share) {
    fail(exchange, noShare.status, noShare.flag, noShare.reason);
    return;
  }
  if (share.answer) {
    answerFor(exchange, head, share, share.answer, prefixLength);
    return;
  }
  const verdict = share.gate?.(exchange, head);
  if (verdict) stopAtShare(exchange, head, verdict, prefixLength);
  else sendOn(exchange, head, prefixLength);
}

/** The share itself or the one that takes its requests while it has no endpoint: that one is no part of sessions. */
function standIn(exchange: Exchange, share: Target, otherwise: Target): Target {
  if (!isEmpty(share) || isEmpty(otherwise)) return share;
  exchange.session = undefined;
  return otherwise;
}

/** For a share without a backend. Copies, and the page in the place of the answer, may want the request whole. */
function answerFor(
  exchange: Exchange,
  head: RequestHead,
  { mirrors, filters }: Target,
  { status, flag, reason }: Answer,
  prefixLength: number | undefined,
): void {
  const copied = mirrors?.filter(({ unsent }) => unsent) ?? [];
  const pages = filters.errorPages;
  const isWanted = copied.length > 0 || (pages?.wantsBody && pages.replaces(exchange, status));
  if (!isWanted) {
    fail(exchange, status, flag, reason);
    return;
  }
  const copies = dueCopies(exchange, head, copied);
  const { runtime } = exchange.client;
  exchange.requestText = writeRequestHead(exchange, head, filters.request, prefixLength);
  takeIn(exchange, head, () => {
    if (exchange.requestDone) for (const due of copies) runtime.mirrors.begin(exchange, due);
    fail(exchange, status, flag, reason);
  });
}

/** `then` is called when the whole body was read, or is too large to be kept. */
function takeIn(exchange: Exchange, { expectContinue }: RequestHead, then: () => void): void {
  if (exchange.requestDone) then();
  else collectBody(exchange, exchange.client.runtime.settings.relay.maxRepeatBytes, expectContinue, then);
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
  const { host, path, normalPath: normal, query } = head;
  const asked = { scheme, host, listenerPort: table.listener.port, path, normalPath: normal, query };
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
