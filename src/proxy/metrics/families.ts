/** The metrics of the data plane by name: what docs/data-plane.md documents, and a test compares. */
import type { Counter, Family, Gauge, Histogram, MetricsRegistry } from '../../base/metrics.ts';

/** Seconds. */
const timeBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Seconds. A stream may be a datagram, or a session of a day. */
const streamBuckets = [0.01, 0.1, 1, 10, 60, 600, 3_600, 21_600, 86_400];

const route = ['route', 'listener'];

/**
 * Series of one metric. More than there can be: TelemetryOptions bounds routes and backends, and each has at most one
 * series per class of status and of method, or per flag.
 */
const MOST = 1_000_000;

/** Everything there is, made in one registry. Each label has values that the plan or this code gives, never a client. */
export function createFamilies(registry: MetricsRegistry) {
  const counter = (name: string, help: string, labels: readonly string[]): Family<Counter> =>
    registry.counter(`fairway_proxy_${name}`, help, labels, MOST);
  const gauge = (name: string, help: string, labels: readonly string[] = []): Family<Gauge> =>
    registry.gauge(`fairway_proxy_${name}`, help, labels, MOST);
  const times = (name: string, help: string): Family<Histogram> =>
    registry.histogram(`fairway_proxy_${name}`, help, timeBuckets, route, MOST);
  return {
    requests: counter('requests_total', 'Requests that are over.', [...route, 'code', 'method']),
    duration: times('request_duration_seconds', 'From the end of a request head to the end of its response.'),
    upstreamDuration: times(
      'upstream_duration_seconds',
      'From handing a request to a backend to the head of its response.',
    ),
    requestBytes: counter('request_bytes_total', 'Body bytes taken from clients.', route),
    responseBytes: counter('response_bytes_total', 'Body bytes handed to clients.', route),
    retries: counter('retries_total', 'Further connections tried for a request after its first.', route),
    upstreamFailures: counter('upstream_failures_total', 'Requests that failed because of their backend.', [
      ...['backend', 'flag'],
    ]),
    responsesMade: counter('responses_made_total', 'Responses made here instead of by a backend.', [
      ...['listener', 'flag'],
    ]),
    responsesCut: counter('responses_cut_total', 'Requests whose response was not begun or not completed.', [
      ...['listener', 'flag'],
    ]),
    connections: counter('connections_total', 'Connections of clients taken into service.', ['listener']),
    connectionsOpen: gauge('connections_open', 'Connections of clients that are open.', ['listener']),
    connectionsRefused: counter('connections_refused_total', 'Connections closed because of client.maxConnections.', [
      'listener',
    ]),
    handshakeFailures: counter('tls_handshake_failures_total', 'TLS handshakes that failed.', ['listener']),
    floods: counter('http2_floods_total', 'HTTP/2 connections ended for streams reset, idle frames or endless heads.', [
      'listener',
    ]),
    streams: counter('streams_total', 'TCP and TLS connections and UDP flows that have begun.', route),
    streamsOpen: gauge('streams_open', 'Those that are open.', route),
    streamReceivedBytes: counter('stream_received_bytes_total', 'Bytes taken from clients of streams.', route),
    streamSentBytes: counter('stream_sent_bytes_total', 'Bytes handed to clients of streams.', route),
    streamDuration: registry.histogram(
      'fairway_proxy_stream_duration_seconds',
      'From the beginning of a stream to its end.',
      streamBuckets,
      route,
      MOST,
    ),
    streamsCut: counter('streams_cut_total', 'Streams that were refused or cut.', ['listener', 'flag']),
    ejections: counter('endpoint_ejections_total', 'Endpoints taken out of turn because they failed in a row.', [
      'backend',
    ]),
    healthChecks: counter('health_checks_total', 'Active health checks that are over.', ['backend', 'result']),
    pending: gauge('requests_pending', 'Requests that wait for room at their backend.', ['backend']),
    certificates: gauge('certificates', 'Certificates of the plan in force.'),
    certificateExpiry: gauge('certificate_expiry_timestamp_seconds', 'Unix time at which a certificate expires.', [
      'certificate',
    ]),
    planGeneration: gauge('plan_generation', 'Generation of the plan in force.'),
    planAge: gauge('plan_age_seconds', 'Time since the plan in force came.'),
    endpoints: gauge('endpoints', 'Endpoints known of a backend, and how many of them are ready.', [
      ...['backend', 'state'],
    ]),
  };
}

export type Families = ReturnType<typeof createFamilies>;

/** Series taken for one route, listener or backend, so that they can be forgotten with it. */
export interface Taken {
  take<T>(family: Family<T>, ...values: string[]): T;
  forget(): void;
}

export function createTaken(): Taken {
  const undo: (() => void)[] = [];
  return {
    take(family, ...values) {
      undo.push(() => family.remove(...values));
      return family.with(...values);
    },
    forget() {
      for (const one of undo.splice(0)) one();
    },
  };
}
