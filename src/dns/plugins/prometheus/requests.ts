/** The counters that every query touches, with the names, labels and buckets of CoreDNS 1.14. */
import type { Counter, Family, Histogram, MetricsRegistry } from '../../../base/metrics.ts';
import { rcodeName, recordType, typeName } from '../../wire/numbers.ts';
import type { Query } from '../../wire/query.ts';
import type { Client, Exchange } from '../plugin.ts';
import type { CountRepetition } from '../repeat.ts';

const sizeBuckets = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3];
/** From 0.25 ms, each twice the one before. */
const timeBuckets = Array.from({ length: 16 }, (_, i) => 0.00025 * 2 ** i);

const namedTypes = new Set<number>([
  ...[recordType.AAAA, recordType.A, recordType.CNAME, recordType.DNSKEY, recordType.DS, recordType.MX],
  ...[recordType.NSEC, recordType.NS, recordType.PTR, recordType.RRSIG, recordType.SOA, recordType.SRV],
  ...[recordType.TXT, recordType.HTTPS, recordType.SVCB, recordType.IXFR, recordType.AXFR, recordType.ANY],
]);

interface Outcome {
  readonly server: string;
  readonly zone: string;
  readonly view: string;
  readonly rcode: number;
  readonly by: string;
}

interface Reported extends Outcome {
  readonly size: number;
  readonly elapsedMs: number;
}

export interface RequestMetrics {
  report(query: Query, client: Client, reported: Reported): void;
  observe(exchange: Exchange): void;
  /** Counts repetitions of an answer, with all series looked up before. */
  repeated(exchange: Exchange): CountRepetition;
}

/** Series of one server, zone, view, transport and family: looked up once, so that a query makes no labels. */
interface Series {
  /** By type, outcome and DO bit: few, since types without a name of their own are one. */
  readonly counters: Map<string, CountRepetition>;
  readonly duration: Histogram;
  readonly requestSize: Histogram;
  readonly responseSize: Histogram;
  readonly dnssecOk: Counter;
}

interface Families {
  readonly requests: Family<Counter>;
  readonly responses: Family<Counter>;
  readonly duration: Family<Histogram>;
  readonly requestSize: Family<Histogram>;
  readonly responseSize: Family<Histogram>;
  readonly dnssecOk: Family<Counter>;
}

function familiesOf(metrics: MetricsRegistry): Families {
  const zone = ['server', 'zone', 'view'];
  return {
    requests: metrics.counter(
      'coredns_dns_requests_total',
      'Counter of DNS requests made per zone, protocol and family.',
      [...zone, 'proto', 'family', 'type'],
    ),
    duration: metrics.histogram(
      'coredns_dns_request_duration_seconds',
      'Histogram of the time (in seconds) each request took per zone.',
      timeBuckets,
      zone,
    ),
    requestSize: metrics.histogram(
      'coredns_dns_request_size_bytes',
      'Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.',
      sizeBuckets,
      [...zone, 'proto'],
    ),
    dnssecOk: metrics.counter(
      'coredns_dns_do_requests_total',
      'Counter of DNS requests with DO bit set per zone.',
      zone,
    ),
    responseSize: metrics.histogram(
      'coredns_dns_response_size_bytes',
      'Size of the returned response in bytes.',
      sizeBuckets,
      [...zone, 'proto'],
    ),
    responses: metrics.counter('coredns_dns_responses_total', 'Counter of response status codes.', [
      ...zone,
      'rcode',
      'plugin',
    ]),
  };
}

const created = new WeakMap<MetricsRegistry, RequestMetrics>();

/** One set for each registry. */
export function requestMetrics(metrics: MetricsRegistry): RequestMetrics {
  const known = created.get(metrics);
  if (known) return known;
  const families = familiesOf(metrics);
  const all = new Map<string, Series>();

  function seriesOf(server: string, zone: string, view: string, proto: string, family: string): Series {
    const id = `${server}\u0000${zone}\u0000${view}\u0000${proto}${family}`;
    let series = all.get(id);
    if (!series) {
      series = {
        counters: new Map(),
        duration: families.duration.with(server, zone, view),
        requestSize: families.requestSize.with(server, zone, view, proto),
        responseSize: families.responseSize.with(server, zone, view, proto),
        dnssecOk: families.dnssecOk.with(server, zone, view),
      };
      all.set(id, series);
    }
    return series;
  }

  /** Counters of one kind of query and outcome: counting looks nothing up. */
  function counterFor(query: Query, client: Client, { server, zone, view, rcode, by }: Outcome): CountRepetition {
    const proto = client.protocol === 'udp' ? 'udp' : 'tcp';
    const family = client.address.includes(':') ? '2' : '1';
    const series = seriesOf(server, zone, view, proto, family);
    const type = namedTypes.has(query.type) ? query.type : -1;
    const dnssecOk = query.edns?.dnssecOk === true;
    const id = `${type} ${rcode} ${dnssecOk} ${by}`;
    const known = series.counters.get(id);
    if (known) return known;
    const typeText = type < 0 ? 'other' : typeName(type);
    const requests = families.requests.with(server, zone, view, proto, family, typeText);
    const responses = families.responses.with(server, zone, view, rcodeName(rcode), by);
    const count: CountRepetition = (elapsedMs, _address, requestSize, responseSize) => {
      requests.inc();
      responses.inc();
      series.duration.observe(elapsedMs / 1000);
      series.requestSize.observe(requestSize);
      series.responseSize.observe(responseSize);
      if (dnssecOk) series.dnssecOk.inc();
    };
    series.counters.set(id, count);
    return count;
  }

  const repeated = ({ context, rcode, by }: Exchange): CountRepetition => {
    const { server, zone, view } = context.scope!;
    return counterFor(context.query, context.client, { server, zone, view, rcode, by });
  };

  const made: RequestMetrics = {
    report(query, client, reported) {
      const { elapsedMs, size } = reported;
      counterFor(query, client, reported)(elapsedMs, client.address, query.packet.length, size);
    },
    observe(exchange) {
      const { context, elapsedMs, response } = exchange;
      const { query, client } = context;
      repeated(exchange)(elapsedMs, client.address, query.packet.length, response?.length ?? 0);
    },
    repeated,
  };
  created.set(metrics, made);
  return made;
}

export type RefusedReporter = (
  server: string,
  query: Query,
  client: Client,
  response: Uint8Array,
  startedAt: number,
) => void;

/** Counts queries that belong to no zone, as the zone `dropped`. */
export function defaultRefusedReporter(metrics: MetricsRegistry): RefusedReporter {
  return (server, query, client, response, startedAt) =>
    requestMetrics(metrics).report(query, client, {
      ...{ server, zone: 'dropped', view: '', rcode: response[3]! & 15, by: '' },
      size: response.length,
      elapsedMs: performance.now() - startedAt,
    });
}
