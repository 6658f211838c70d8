/** Values of a line that are known when the exchange is over: see compile.ts. */
import type { ObjectRef } from '../../../base/diagnostics/index.ts';
import type { LogFact, WeightedBackend } from '../../../routing/plan/plan.ts';
import type { AccessRecord } from '../../access.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { commonTime, isoTime } from '../format.ts';
import type { Attempt, LogNotes } from './notes.ts';
import type { EarlyFact } from './values.ts';

/** Undefined where there is no such thing. */
export type Late = (record: AccessRecord, notes: LogNotes, exchange: Exchange) => string | undefined;

/** As nginx writes times that took so long. */
const seconds = (ms: number): string => (ms < 0 ? '-' : (ms / 1000).toFixed(3));

const ended = ({ time, durationMs }: AccessRecord): number => time + durationMs;

const perAttempt =
  (text: (attempt: Attempt) => string): Late =>
  (_record, { attempts }) =>
    attempts.length === 0 ? undefined : attempts.map(text).join(', ');

/** What a client sees that has left before it saw anything, as nginx has it. */
const CLIENT_GONE = 499;

function statusOf({ status, flag }: AccessRecord): string {
  if (status === 0) return flag === 'client_closed' ? String(CLIENT_GONE) : '000';
  return String(status);
}

/** The share that the request fell to, and the one that it would have without a canary. */
function sharesOf({ route, share }: Exchange): {
  main?: WeightedBackend | undefined;
  own?: WeightedBackend | undefined;
} {
  if (route?.action.type !== 'forward' || route.route.action.type !== 'forward') return {};
  const { targets } = route.action;
  const { backends, canary } = route.route.action;
  const own = backends[targets.findIndex((target) => target === share || (share && target.otherwise === share))];
  return { own, main: canary ? backends[0] : (own ?? backends[0]) };
}

interface ServicePort {
  readonly namespace: string;
  readonly name: string;
  readonly port: string;
}

/** Out of a BackendId; the port as the object has it that refers to it. */
function serviceOf(share: WeightedBackend | undefined): ServicePort | undefined {
  const [, namespace, name, port] = /^(?:XBackend\/)?([^/]+)\/([^/:]+):([0-9]+)/.exec(share?.backend ?? '') ?? [];
  if (namespace === undefined) return undefined;
  return { namespace, name: name!, port: share?.portName ?? port! };
}

function upstreamName(share: WeightedBackend | undefined): string | undefined {
  const service = serviceOf(share);
  return service && `${service.namespace}-${service.name}-${service.port}`;
}

/** Empty where there is none, as in locations of ingress-nginx. */
function alternativeName(_record: AccessRecord, _notes: LogNotes, exchange: Exchange): string {
  const { main, own } = sharesOf(exchange);
  return main === own ? '' : (upstreamName(own) ?? '');
}

/** What has no namespace is a class, which answers for what no Ingress takes. */
const ingressName = (object: ObjectRef | undefined): string => (object?.namespace ? object.name : '');

/** In none of them clients have a say. */
export const lateFacts: Readonly<Record<Exclude<LogFact, EarlyFact | 'request-line'>, Late>> = {
  'time-local': (record) => commonTime(ended(record)),
  'time-iso8601': (record) => `${isoTime(ended(record)).slice(0, 19)}+00:00`,
  msec: (record) => seconds(ended(record)),
  'request-time': ({ durationMs }) => seconds(durationMs),
  'request-length': ({ requestBytes }, { headBytes }) => String(headBytes + requestBytes),
  status: statusOf,
  'body-bytes-sent': ({ responseBytes }) => String(responseBytes),
  'bytes-sent': ({ responseBytes }, { sentBytes }) => String(sentBytes + responseBytes),
  'upstream-address': perAttempt(({ address }) => address),
  'upstream-status': perAttempt(({ status }) => (status === 0 ? '-' : String(status))),
  'upstream-response-length': perAttempt(({ bytes }) => String(bytes)),
  'upstream-response-time': perAttempt(({ ms }) => seconds(ms)),
  'upstream-connect-time': perAttempt(({ connectMs }) => seconds(connectMs)),
  'upstream-header-time': perAttempt(({ headerMs }) => seconds(headerMs)),
  'upstream-name': (_record, _notes, exchange) => upstreamName(sharesOf(exchange).main) ?? '-',
  'alternative-upstream-name': alternativeName,
  namespace: (_record, _notes, { route }) => route?.route.source.object.namespace ?? '',
  'ingress-name': (_record, _notes, { route }) => ingressName(route?.route.source.object),
  'service-name': (_record, _notes, exchange) => serviceOf(sharesOf(exchange).main)?.name ?? '',
  'service-port': (_record, _notes, exchange) => serviceOf(sharesOf(exchange).main)?.port ?? '',
  'server-name': (_record, { hostname }) => (hostname === '' || hostname === '*' ? '_' : hostname),
};
