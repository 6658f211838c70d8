/** What all connections of one data plane share. */
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.ts';
import type { AccessRecord } from './access.ts';
import { createSessionIds, freshSecret, type SessionIds } from './affinity/ids.ts';
import { createPasswordChecks, type PasswordChecks } from './filters/basic-auth/checks.ts';
import { type AuthOutcomes, createAuthOutcomes } from './filters/external-auth/outcomes.ts';
import { createMirrors, type Mirrors } from './filters/mirror/copies.ts';
import type { OutgoingRequest } from './filters/types.ts';
import { createZones, type Zones } from './filters/zones.ts';
import { createRequestHead, type RequestHead } from './http1/request.ts';
import { createResponseHead, type ResponseHead } from './http1/response.ts';
import type { Announcements } from './listener/announced.ts';
import type { Served } from './listener/client.ts';
import { type Listen, listenHere } from './listener/listen.ts';
import { createProxyMetrics, type ProxyMetrics } from './metrics/metrics.ts';
import { type ProxyOptions, resolveSettings, type Settings } from './options.ts';
import { createReadBuffers, type ReadBuffers } from './read-buffers.ts';
import type { StreamRecord } from './stream/record.ts';
import { createSubrequests, type Subrequests } from './subrequest/subrequests.ts';
import { createTickets, type Tickets } from './tls/tickets.ts';
import type { SpanRecord } from './trace/span.ts';
import { openIdle } from './upstream/acquire.ts';
import type { UpstreamHandlers } from './upstream/connection.ts';
import type { StreamHandlers } from './upstream/http2-session.ts';
import { createIdentities, type UpstreamIdentities } from './upstream/identity.ts';
import { createUpstreams, type Upstreams } from './upstream/upstreams.ts';

export interface Runtime {
  readonly settings: Settings;
  /** Used again for every head: reading one and acting on it is one synchronous step. */
  readonly requestHead: RequestHead;
  readonly responseHead: ResponseHead;
  readonly outgoing: OutgoingRequest;
  readonly readBuffers: ReadBuffers;
  readonly upstreams: Upstreams;
  readonly identities: UpstreamIdentities;
  readonly tickets: Tickets;
  readonly sessionIds: SessionIds;
  readonly upstreamHandlers: UpstreamHandlers;
  readonly streamHandlers: StreamHandlers;
  readonly mirrors: Mirrors;
  readonly passwords: PasswordChecks;
  readonly subrequests: Subrequests;
  /** Responses being compressed. */
  readonly encoders: { count: number };
  /** Outlives plans. */
  readonly authOutcomes: AuthOutcomes;
  /** What limits count; outlives plans. */
  readonly zones: Zones;
  readonly connections: Set<Served>;
  /** TLS handshakes that have not been finished, of all listeners. */
  readonly handshakes: { waiting: number };
  readonly isTrusted: (address: string) => boolean;
  readonly announcements: Announcements;
  /** Makes a server listen on a place. */
  readonly listen: Listen;
  /** Milliseconds of a monotonic clock, read at every tick of the sweep. Good for deadlines, not for measuring. */
  now: number;
  /** `Date: …` with its CRLF. */
  dateLine: string;
  /** No new requests: the data plane is being closed. */
  closing: boolean;
  readonly onAccess: ((record: AccessRecord) => void) | undefined;
  /** Records have lines. */
  readonly accessLines: boolean;
  readonly onStream: ((record: StreamRecord) => void) | undefined;
  readonly onSpan: ((span: SpanRecord) => void) | undefined;
  readonly metrics: ProxyMetrics | undefined;
  /** Somebody wants to know how long things take. */
  readonly timed: boolean;
  readonly reporter: Reporter;
}

/** Passes findings on, each once while it lasts over plans. */
export interface Reporter {
  report(finding: Diagnostic): void;
  /** A new plan: what is not found again is forgotten with the plan after it. */
  nextPlan(): void;
}

function createReporter(pass: (finding: Diagnostic) => void): Reporter {
  let before = new Set<string>();
  let now = new Set<string>();
  return {
    report(finding) {
      const key = `${finding.code} ${finding.message}`;
      const isNew = !before.has(key) && !now.has(key);
      now.add(key);
      if (isNew) pass(finding);
    },
    nextPlan() {
      before = now;
      now = new Set();
    },
  };
}

/** What the lower parts call without knowing the upper ones. */
export type RuntimeHooks = Pick<Runtime, 'upstreamHandlers' | 'streamHandlers' | 'announcements' | 'isTrusted'>;

export function createRuntime(options: ProxyOptions, hooks: RuntimeHooks): Runtime {
  const settings = resolveSettings(options);
  const reporter = createReporter(options.onDiagnostic ?? (() => {}));
  const requestHead = createRequestHead(settings.client.maxHeaders);
  const connections = new Set<Served>();
  const metrics = options.metrics && createProxyMetrics(options.metrics, settings.telemetry, connections);
  const runtime: Runtime = {
    settings,
    requestHead,
    responseHead: createResponseHead(settings.upstream.maxHeaders),
    outgoing: {
      fields: requestHead.fields,
      host: '',
      path: '',
      isNormal: false,
      query: '',
      prefixLength: undefined,
      targetChanged: false,
    },
    readBuffers: createReadBuffers(settings.relay.maxReadBuffers),
    upstreams: createUpstreams({
      zone: options.zone,
      maxConnectionsPerEndpoint: settings.upstream.maxConnectionsPerEndpoint,
      health: { maxAtOnce: settings.upstream.maxHealthChecks },
      openIdle: (pool, over) => openIdle(pool, runtime, over),
      onEjection: ({ id }) => metrics?.backends.ejected(id),
      onHealthCheck: ({ id }, healthy) => metrics?.backends.checked(id, healthy),
    }),
    identities: createIdentities(reporter),
    tickets: createTickets(settings.tls.ticketRotationMs, options.ticketSecret),
    sessionIds: createSessionIds(options.affinitySecret ?? freshSecret()),
    mirrors: createMirrors(settings.filters),
    passwords: createPasswordChecks({
      maxQueue: settings.filters.maxPasswordQueue,
      onFault: (why) =>
        reporter.report(diagnostic('FW5221', { message: `passwords with bcrypt hashes cannot be checked: ${why}` })),
    }),
    subrequests: createSubrequests(settings.filters),
    encoders: { count: 0 },
    authOutcomes: createAuthOutcomes(settings.filters.maxAuthOutcomes),
    zones: createZones(settings.filters),
    ...hooks,
    connections,
    handshakes: { waiting: 0 },
    now: performance.now(),
    dateLine: dateLine(),
    closing: false,
    listen: options.listen ?? listenHere,
    onAccess: options.onAccess,
    accessLines: options.onAccess !== undefined && options.accessLines === true,
    onStream: options.onStream,
    onSpan: options.onSpan,
    metrics,
    timed: options.onAccess !== undefined || options.onSpan !== undefined || metrics !== undefined,
    reporter,
  };
  metrics?.backends.read(runtime.upstreams);
  return runtime;
}

/** To be called at every tick. */
export function readClock(runtime: Runtime): void {
  runtime.now = performance.now();
  runtime.dateLine = dateLine();
}

/** IMF-fixdate (RFC 9110 section 5.6.7). */
function dateLine(): string {
  return `Date: ${new Date().toUTCString()}\r\n`;
}
