/** A collector for tests, which takes nothing that is not OTLP as proto3 JSON has it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly traceState: string | undefined;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly status: number;
}

export interface Collector {
  readonly url: string;
  readonly spans: CollectedSpan[];
  /** Why requests were no good; empty if all were. */
  readonly faults: string[];
  /** Spans per request, in order; of those refused too. */
  readonly requests: number[];
  /** What to answer from now on; a promise keeps the client waiting. Default: 200 and an empty message. */
  answer(how: (response: ServerResponse) => void): void;
  close(): Promise<void>;
}

type Check = (value: unknown, at: string) => void;

function fail(at: string, value: unknown): never {
  throw new Error(`${at}: ${JSON.stringify(value)}`);
}

const that =
  (isRight: (value: unknown) => boolean): Check =>
  (value, at) => {
    if (!isRight(value)) fail(at, value);
  };

const aText = that((value) => typeof value === 'string' && Buffer.from(value).toString() === value);
const matching = (pattern: RegExp) => that((value) => typeof value === 'string' && pattern.test(value));
const wholeUpTo = (most: number) =>
  that((value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most);

/** An object of these fields and no others; those with `?` may be missing. */
function message(fields: Readonly<Record<string, Check>>): Check {
  return (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(at, value);
    const given = value as Record<string, unknown>;
    for (const name of Object.keys(given))
      if (!Object.hasOwn(fields, name) && !Object.hasOwn(fields, `${name}?`)) fail(`${at}.${name} is no field`, given);
    for (const [name, check] of Object.entries(fields)) {
      const bare = name.replace('?', '');
      if (given[bare] !== undefined) check(given[bare], `${at}.${bare}`);
      else if (bare === name) fail(`${at}.${name} is missing`, given);
    }
  };
}

const listOf =
  (check: Check): Check =>
  (value, at) => {
    if (!Array.isArray(value)) fail(at, value);
    value.forEach((one, i) => {
      check(one, `${at}[${i}]`);
    });
  };

/** Decimal, within fixed64. */
const nanoseconds: Check = (value, at) => {
  matching(/^(?:0|[1-9][0-9]{0,19})$/)(value, at);
  if (BigInt(value as string) > 0xffffffffffffffffn) fail(at, value);
};
const attributeValue: Check = (value, at) => {
  message({ 'stringValue?': aText, 'intValue?': matching(/^-?(?:0|[1-9][0-9]{0,18})$/) })(value, at);
  if (Object.keys(value as object).length !== 1) fail(`${at} is one of several`, value);
};
const attributes: Check = (value, at) => {
  listOf(message({ key: matching(/^[a-z][a-z0-9_.]*$/), value: attributeValue }))(value, at);
  const keys = (value as { key: string }[]).map(({ key }) => key);
  if (new Set(keys).size !== keys.length) fail(`${at} has keys twice`, keys);
};
const span = message({
  traceId: matching(/^(?!0{32})[0-9a-f]{32}$/),
  spanId: matching(/^(?!0{16})[0-9a-f]{16}$/),
  'traceState?': aText,
  'parentSpanId?': matching(/^(?!0{16})[0-9a-f]{16}$/),
  flags: wholeUpTo(0x3ff),
  name: matching(/^\S/),
  kind: wholeUpTo(5),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes,
  status: message({ 'code?': wholeUpTo(2), 'message?': aText }),
});
const scope = message({ name: aText, version: aText });
const exportRequest = message({
  resourceSpans: listOf(
    message({
      resource: message({ attributes }),
      scopeSpans: listOf(message({ scope, spans: listOf(span) })),
    }),
  ),
});

interface RawSpan extends Omit<CollectedSpan, 'attributes' | 'status'> {
  readonly attributes: readonly { key: string; value: { stringValue?: string; intValue?: string } }[];
  readonly status: { code?: number };
}

/** The spans of an ExportTraceServiceRequest. Throws for what is none. */
export function readExport(body: string): CollectedSpan[] {
  const value: unknown = JSON.parse(body);
  exportRequest(value, 'request');
  const { resourceSpans } = value as { resourceSpans: { scopeSpans: { spans: RawSpan[] }[] }[] };
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
    .map((raw) => ({
      ...raw,
      parentSpanId: raw.parentSpanId,
      traceState: raw.traceState,
      status: raw.status.code ?? 0,
      attributes: Object.fromEntries(
        raw.attributes.map(({ key, value: { stringValue, intValue } }) => [key, stringValue ?? intValue ?? '']),
      ),
    }));
}

export async function openCollector(address: string, port = 0): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const faults: string[] = [];
  const requests: number[] = [];
  let how = (response: ServerResponse): void => {
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
  };

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const isRight = request.method === 'POST' && request.url === '/v1/traces';
    if (!isRight || request.headers['content-type'] !== 'application/json')
      faults.push(`${request.method} ${request.url}`);
    try {
      const came = readExport(body);
      requests.push(came.length);
      response.on('finish', () => response.statusCode === 200 && spans.push(...came));
    } catch (error) {
      faults.push(String(error));
    }
    how(response);
  }

  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    spans,
    faults,
    requests,
    answer(next) {
      how = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
