/**
 * Spans in the JSON encoding of OTLP (opentelemetry-proto, docs/specification.md "JSON Protobuf Encoding"): ids in
 * hexadecimal, 64-bit numbers as strings, enumerations as numbers. Names and attributes are those of OpenTelemetry's
 * semantic conventions for HTTP servers; what they have no name for is called `fairway.…`.
 */
import type { AccessRecord } from '../../access.ts';
import type { SpanRecord } from '../span.ts';

export type AttributeValue = { readonly stringValue: string } | { readonly intValue: string };

export interface Attribute {
  readonly key: string;
  readonly value: AttributeValue;
}

/** A message Span of opentelemetry/proto/trace/v1/trace.proto, as far as it is used. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string;
  readonly parentSpanId?: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number };
}

const SERVER = 2;
const STATUS_ERROR = 2;
/** SpanFlags: it is known whether the parent is in another process, and it is. */
const CONTEXT_HAS_IS_REMOTE = 0x100;
const CONTEXT_IS_REMOTE = 0x200;

/** A request of ExportTraceServiceRequest. */
export function encodeSpans(spans: readonly SpanRecord[], version: string): string {
  const resource = { attributes: [text('service.name', 'fairway'), text('service.version', version)] };
  const scope = { name: 'fairway.proxy', version };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope, spans: spans.map(toOtlp) }] }] });
}

function toOtlp(span: SpanRecord): OtlpSpan {
  const { context, request } = span;
  const { traceId, spanId, parentId, traceState } = context;
  const start = nanoseconds(request.time);
  const failure = failureOf(span);
  return {
    traceId,
    spanId,
    ...(traceState !== undefined && { traceState }),
    ...(parentId !== undefined && { parentSpanId: parentId }),
    flags: context.flags | CONTEXT_HAS_IS_REMOTE | (parentId === undefined ? 0 : CONTEXT_IS_REMOTE),
    name: nameOf(request),
    kind: SERVER,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + nanoseconds(request.durationMs)),
    attributes: attributesOf(span, failure),
    status: failure === undefined ? {} : { code: STATUS_ERROR },
  };
}

/** Of milliseconds; in whole microseconds, beyond which numbers of today are not exact. */
const nanoseconds = (ms: number): bigint => BigInt(Math.round(ms * 1_000)) * 1_000n;

/** Methods that everybody knows; others would make names without number. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

function nameOf({ method, route }: AccessRecord): string {
  const first = methods.has(method) ? method : 'HTTP';
  return route === undefined ? first : `${first} ${route}`;
}

/** Ways in which a response ends early that are nobody's failure here. */
const harmless = new Set(['client_closed', 'tunnel_idle']);

/** `error.type`: why there was no good response, as the access log has it; undefined when there was, or the client is to blame. */
function failureOf({ request: { status, flag }, cut }: SpanRecord): string | undefined {
  if (status >= 500) return flag ?? String(status);
  return cut && flag !== undefined && !harmless.has(flag) ? flag : undefined;
}

function attributesOf({ context, request }: SpanRecord, failure: string | undefined): Attribute[] {
  const { method, status, route } = request;
  const server = serverOf(request.host, context.port);
  const attributes = [
    text('http.request.method', methods.has(method) ? method : '_OTHER'),
    // The query is left out: it may hold what nobody else should know.
    text('url.path', request.target.split('?', 1)[0]!),
    text('url.scheme', context.scheme),
    text('server.address', server.address),
    int('server.port', server.port),
    text('client.address', context.client),
    text('network.peer.address', request.client),
    text('network.protocol.version', versions[request.protocol]),
    text('fairway.listener', request.listener),
    int('fairway.attempts', request.attempts),
  ];
  const put = (key: string, value: string | undefined) => {
    if (value !== undefined && value !== '') attributes.push(text(key, value));
  };
  if (!methods.has(method)) put('http.request.method_original', method);
  if (status > 0) attributes.push(int('http.response.status_code', status));
  put('http.route', route);
  put('user_agent.original', request.userAgent);
  put('error.type', failure);
  put('fairway.backend', request.backend);
  put('fairway.endpoint', request.endpoint);
  put('fairway.flag', request.flag);
  return attributes;
}

const versions: Readonly<Record<AccessRecord['protocol'], string>> = {
  'HTTP/1.0': '1.0',
  'HTTP/1.1': '1.1',
  'HTTP/2.0': '2',
};

/** `a.example:8080`, `[::1]:8080`, either without its port. */
function serverOf(host: string, listenerPort: number): { address: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?$/.exec(host) ?? [];
  return { address: bracketed ?? plain ?? host, port: port === undefined ? listenerPort : Number(port) };
}

/** Longer values are cut. */
const MAX_LENGTH = 1_024;

/** `value`: one character per byte, as it came. */
function text(key: string, value: string): Attribute {
  const cut = value.length > MAX_LENGTH ? value.slice(0, MAX_LENGTH) : value;
  return { key, value: { stringValue: Buffer.from(cut, 'latin1').toString('utf8') } };
}

const int = (key: string, value: number): Attribute => ({ key, value: { intValue: String(value) } });
