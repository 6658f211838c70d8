/** The series of one route on one listener: looked up once, so that counting a request makes no labels. */
import type { Counter } from '../../base/metrics.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { createTaken, type Families } from './families.ts';

export interface RouteSeries {
  observe(exchange: Exchange, durationMs: number): void;
  forget(): void;
  readonly forgotten: boolean;
}

/** By hundreds of the status; `none` when no response was begun. */
const codes = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** RFC 9110 sections 9.2.1 and 9.2.2: what a request may do, which is what latency and retries depend on. */
const methods = ['safe', 'idempotent', 'other'] as const;

const classOf: ReadonlyMap<string, number> = new Map([
  ...['GET', 'HEAD', 'OPTIONS', 'TRACE'].map((method) => [method, 0] as const),
  ...['PUT', 'DELETE'].map((method) => [method, 1] as const),
]);

function methodClass(method: string): number {
  return method === 'GET' ? 0 : (classOf.get(method) ?? 2);
}

/** Statuses beyond 599 are counted with those of servers' errors. */
function codeClass(status: number): number {
  return status >= 500 ? 5 : Math.floor(status / 100);
}

export function createRouteSeries(families: Families, route: string, listener: string): RouteSeries {
  const taken = createTaken();
  let forgotten = false;
  /** By code and method; made when the first such request is over. */
  const requests: (Counter | undefined)[] = new Array(codes.length * methods.length).fill(undefined);
  const duration = taken.take(families.duration, route, listener);
  const upstreamDuration = taken.take(families.upstreamDuration, route, listener);
  const requestBytes = taken.take(families.requestBytes, route, listener);
  const responseBytes = taken.take(families.responseBytes, route, listener);
  const retries = taken.take(families.retries, route, listener);

  function counterOf(code: number, method: number): Counter {
    const counter = taken.take(families.requests, route, listener, codes[code]!, methods[method]!);
    requests[code * methods.length + method] = counter;
    return counter;
  }

  return {
    observe(exchange, durationMs) {
      const code = codeClass(exchange.status);
      const method = methodClass(exchange.method);
      (requests[code * methods.length + method] ?? counterOf(code, method)).inc();
      duration.observe(durationMs / 1000);
      if (exchange.upstreamMs > 0) upstreamDuration.observe(exchange.upstreamMs / 1000);
      if (exchange.requestBytes > 0) requestBytes.inc(exchange.requestBytes);
      if (exchange.responseBytes > 0) responseBytes.inc(exchange.responseBytes);
      if (exchange.attempts > 1) retries.inc(exchange.attempts - 1);
    },
    forget() {
      forgotten = true;
      taken.forget();
    },
    get forgotten() {
      return forgotten;
    },
  };
}
