/** One upstream of a forwarder: how it is asked, and whether it is well. */
import { randomInt } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import type { Counter, MetricsRegistry } from '../../../base/metrics.ts';
import type { Result } from '../../../base/result.ts';
import { encodeQuery } from '../../wire/ask.ts';
import { rcodeName, recordType } from '../../wire/numbers.ts';
import { parseQuery, type Query } from '../../wire/query.ts';
import { createDohClient } from './doh.ts';
import { type ExchangeOptions, exchangeTcp, exchangeUdp } from './exchange.ts';
import { createPool } from './pool.ts';
import { formatUpstream, type Upstream } from './upstreams.ts';

export type UpstreamProtocol = 'dns' | 'tls' | 'https';

/** Where and how: `tls://1.1.1.1%cloudflare-dns.com`. */
export interface UpstreamTarget extends Upstream {
  readonly protocol?: UpstreamProtocol;
  /** For the certificate of this one. */
  readonly serverName?: string;
}

export interface HealthCheck {
  /** ms between probes of an upstream that failed. */
  readonly intervalMs: number;
  readonly recursionDesired: boolean;
  /** Name asked for, type NS. */
  readonly domain: string;
  /** Over TCP instead of UDP. */
  readonly tcp: boolean;
}

export interface UpstreamOptions {
  readonly expireMs?: number;
  readonly maxAgeMs?: number;
  readonly maxIdle?: number;
  readonly dohMethod?: 'POST' | 'GET';
  readonly tls?: ConnectionOptions;
  readonly localAddress?: string;
  /** Without it nobody is probed. */
  readonly health?: HealthCheck;
  readonly metrics?: MetricsRegistry;
}

export interface LiveUpstream {
  readonly target: UpstreamTarget;
  /** `10.0.0.1:53`. */
  readonly name: string;
  ask(query: Query, tcp: boolean, options: ExchangeOptions): Promise<Result<Uint8Array, string>>;
  /** Failed probes in a row. */
  readonly fails: number;
  /** When it last left a question unanswered (`performance.now()`). */
  readonly failedAt: number;
  /** A question went unanswered: probes it until it answers again. */
  suspect(): void;
  close(): void;
}

/** For one probe, ms. */
const probeTimeoutMs = 1000;
const durationBuckets = Array.from({ length: 16 }, (_, i) => 0.00025 * 2 ** i);

function metricsOf(metrics: MetricsRegistry, to: string) {
  const named = ['proxy_name', 'to'];
  const dials = (name: string, help: string) => {
    const family = metrics.counter(name, help, [...named, 'proto']);
    return (proto: string): Counter => family.with('forward', to, proto);
  };
  const durations = metrics.histogram(
    'coredns_proxy_request_duration_seconds',
    'Histogram of the time each request took.',
    durationBuckets,
    [...named, 'rcode'],
  );
  return {
    hits: dials('coredns_proxy_conn_cache_hits_total', 'Counter of connection cache hits per upstream and protocol.'),
    misses: dials(
      'coredns_proxy_conn_cache_misses_total',
      'Counter of connection cache misses per upstream and protocol.',
    ),
    failures: metrics
      .counter('coredns_proxy_healthcheck_failures_total', 'Counter of the number of failed healthchecks.', named)
      .with('forward', to),
    took: (rcode: number, ms: number) => durations.with('forward', to, rcodeName(rcode)).observe(ms / 1000),
  };
}

function probeQuery({ domain, recursionDesired }: HealthCheck): Query | undefined {
  const parsed = parseQuery(encodeQuery(domain, recordType.NS, { id: randomInt(0x10000), recursionDesired }));
  return parsed.ok ? parsed.query : undefined;
}

export function createUpstream(target: UpstreamTarget, options: UpstreamOptions = {}): LiveUpstream {
  const { expireMs = 10_000, maxAgeMs = 0, maxIdle = 0, localAddress, health } = options;
  const protocol = target.protocol ?? 'dns';
  const name = formatUpstream(target).includes(':') ? formatUpstream(target) : `${target.address}:${target.port}`;
  const metrics = options.metrics && metricsOf(options.metrics, name);
  const tls: ConnectionOptions = {
    ...options.tls,
    ...(target.serverName !== undefined && { servername: target.serverName }),
  };
  const pool = createPool(target, {
    ...{ expireMs, maxAgeMs, maxIdle },
    ...(protocol === 'tls' && { tls }),
    onDial: (hit) => (hit ? metrics?.hits : metrics?.misses)?.('tcp').inc(),
  });
  const doh =
    protocol === 'https' ? createDohClient(target, { method: options.dohMethod ?? 'POST', tls, expireMs }) : undefined;
  const closing = new AbortController();
  let fails = 0;
  let failedAt = -Infinity;
  let probing: NodeJS.Timeout | undefined;

  function exchange(query: Query, tcp: boolean, asked: ExchangeOptions): Promise<Result<Uint8Array, string>> {
    const all = { ...asked, ...(localAddress !== undefined && { localAddress }) };
    if (doh) return doh.exchange(query, all);
    if (protocol === 'tls' || tcp) return pool.exchange(query, all);
    metrics?.misses('udp').inc();
    return exchangeUdp(query, target, all);
  }

  async function probe(check: HealthCheck): Promise<boolean> {
    const query = probeQuery(check);
    if (!query) return false;
    const asked = { timeoutMs: probeTimeoutMs, signal: closing.signal, ...(localAddress && { localAddress }) };
    const plain = check.tcp ? exchangeTcp : exchangeUdp;
    const result = await (protocol === 'dns' ? plain(query, target, asked) : exchange(query, true, asked));
    return result.ok;
  }

  function probeLater(check: HealthCheck, delayMs: number): void {
    probing = setTimeout(async () => {
      const well = await probe(check);
      if (closing.signal.aborted) return;
      if (well) {
        fails = 0;
        probing = undefined;
        return;
      }
      fails++;
      metrics?.failures.inc();
      probeLater(check, check.intervalMs);
    }, delayMs);
    probing.unref();
  }

  return {
    target,
    name,
    get fails() {
      return fails;
    },
    get failedAt() {
      return failedAt;
    },
    async ask(query, tcp, asked) {
      const startedAt = performance.now();
      const result = await exchange(query, tcp, asked);
      if (result.ok) {
        failedAt = -Infinity;
        metrics?.took(result.value[3]! & 15, performance.now() - startedAt);
      } else failedAt = performance.now();
      return result;
    },
    suspect() {
      if (health && health.intervalMs > 0 && !probing) probeLater(health, 0);
    },
    close() {
      closing.abort();
      clearTimeout(probing);
      pool.close();
      doh?.close();
    },
  };
}
