/** A request as the data plane would have it in hand, without a connection: parsed by its parser, for its filters to look at. */
import { err, ok, type Result } from '../../../base/result.ts';
import { attachmentsOf } from '../../../proxy/exchange/attachments.ts';
import { createExchange, type Exchange } from '../../../proxy/exchange/exchange.ts';
import { createTrust } from '../../../proxy/exchange/forwarded.ts';
import { createRequestHead, parseRequestHead, type Refusal, type RequestHead } from '../../../proxy/http1/request.ts';
import { defaultMatchLimits } from '../../../routing/match/matcher.ts';
import { normalPath } from '../../../routing/match/normal-path.ts';
import type { Listener, Route, VirtualHost } from '../../../routing/plan/plan.ts';
import { hostOf } from '../request.ts';
import type { ExplainRequest } from '../types.ts';

export interface Rehearsed {
  readonly request: ExplainRequest;
  readonly exchange: Exchange;
  readonly head: RequestHead;
  /** Without an address of the client, what depends on it cannot be known. */
  readonly isClientKnown: boolean;
}

/** Where the request has got to. */
export interface Place {
  readonly listener: Listener;
  readonly host: VirtualHost;
  readonly route: Route;
}

/** Stands in values for the address of a client that nobody has named. */
export const unknownClient = 'CLIENT-ADDRESS';

/** The same for the id that is made for each request anew. */
const requestId = 'REQUEST-ID';

const limits = { maxHeadBytes: 1_000_000, maxHeaders: 1_000, maxTargetBytes: 500_000 };

function linesOf(request: ExplainRequest): string {
  const { method, path, query, headers } = request;
  const others = headers.filter(([name]) => name.toLowerCase() !== 'host');
  return [
    `${method} ${path}${query === '' ? '' : `?${query}`} HTTP/1.1`,
    `Host: ${hostWithPort(request)}`,
    ...others.map(([name, value]) => `${name}: ${value}`),
    '\r\n',
  ].join('\r\n');
}

/** What clients write of the port. */
function hostWithPort(request: ExplainRequest): string {
  const host = hostOf(request);
  const isUsual = request.port === (request.scheme === 'https' ? 443 : 80);
  return isUsual || host !== request.hostname ? host : `${host}:${request.port}`;
}

/** The refusal that the request gets before any route is looked for, where it is none. */
export function rehearse(request: ExplainRequest, { listener, host, route }: Place): Result<Rehearsed, Refusal> {
  const head = createRequestHead(limits.maxHeaders);
  const refusal = parseRequestHead(Buffer.from(linesOf(request), 'utf8'), head, limits);
  if (refusal === 'incomplete') return err({ status: 400, reason: 'the request head is malformed' });
  if (refusal) return err(refusal);
  head.normalPath = host.paths === 'normal' ? (normalPath(head.path) ?? '') : '';
  head.grpc = request.grpc;
  const exchange = createExchange(clientOf(request, listener), head, false);
  exchange.route = { route } as NonNullable<Exchange['route']>;
  attachmentsOf(exchange).requestId = requestId;
  return ok({ request, exchange, head, isClientKnown: request.client !== undefined });
}

/** As much of a client as conditions, values and gates by address look at. */
function clientOf({ client: address, scheme, grpc }: ExplainRequest, listener: Listener): Exchange['client'] {
  const trusts = createTrust(listener.trustedProxies ?? []);
  const client = {
    address: address ?? unknownClient,
    trusted: address !== undefined && trusts(address),
    socket: {},
    runtime: { now: 0, timed: false, settings: { client: defaultMatchLimits } },
    door: { scheme, table: { listener, trusts } },
    wire: { protocol: () => (grpc ? 'HTTP/2.0' : 'HTTP/1.1') },
    serverName: undefined,
  };
  return client as unknown as Exchange['client'];
}
