/** What all connections of one data plane share. */
import type { Diagnostic } from '../base/diagnostics/index.ts';
import type { AccessRecord } from './access.ts';
import { createMirrors, type Mirrors } from './filters/mirror/copies.ts';
import type { OutgoingRequest } from './filters/types.ts';
import { createZones, type Zones } from './filters/zones.ts';
import { createRequestHead, type RequestHead } from './http1/request.ts';
import { createResponseHead, type ResponseHead } from './http1/response.ts';
import type { Announcements } from './listener/announced.ts';
import type { Served } from './listener/client.ts';
import { createProxyMetrics, type ProxyMetrics } from './metrics/metrics.ts';
import { type ProxyOptions, resolveSettings, type Settings } from './options.ts';
import type { StreamRecord } from './stream/record.ts';
import { createTickets, type Tickets } from './tls/tickets.ts';
import type { UpstreamHandlers } from './upstream/connection.ts';
import { createIdentities, type UpstreamIdentities } from './upstream/identity.ts';
import { createUpstreams, type Upstreams } from './upstream/upstreams.ts';

export interface Runtime {
  readonly settings: Settings;
  /** Used again for every head: reading one and acting on it is one synchronous step. */
  readonly requestHead: RequestHead;
  readonly responseHead: ResponseHead;
  readonly outgoing: OutgoingRequest;
  readonly upstreams: Upstreams;
  readonly identities: UpstreamIdentities;
  readonly tickets: Tickets;
  readonly upstreamHandlers: UpstreamHandlers;
  readonly mirrors: Mirrors;
  /** What limits count; outlives plans. */
  readonly zones: Zones;
  readonly connections: Set<Served>;
  readonly isTrusted: (address: string) => boolean;
  readonly announcements: Announcements;
  /** Milliseconds of a monotonic clock, read at every tick of the sweep. Good for deadlines, not for measuring. */
  now: number;
  /** `Date: …` with its CRLF. */
  dateLine: string;
  /** No new requests: the data plane is being closed. */
  closing: boolean;
  readonly onAccess: ((record: AccessRecord) => void) | undefined;
  readonly onStream: ((record: StreamRecord) => void) | undefined;
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
export type RuntimeHooks = Pick<Runtime, 'upstreamHandlers' | 'announcements' | 'isTrusted'>;

export function createRuntime(options: ProxyOptions, hooks: RuntimeHooks): Runtime {
  const settings = resolveSettings(options);
  const reporter = createReporter(options.onDiagnostic ?? (() => {}));
  const requestHead = createRequestHead(settings.client.maxHeaders);
  const connections = new Set<Served>();
  const metrics = options.metrics && createProxyMetrics(options.metrics, settings.telemetry, connections);
  return {
    settings,
    requestHead,
    responseHead: createResponseHead(settings.upstream.maxHeaders),
    outgoing: {
      fields: requestHead.fields,
      host: '',
      path: '',
      query: '',
      prefixLength: undefined,
      targetChanged: false,
    },
    upstreams: createUpstreams(),
    identities: createIdentities(reporter),
    tickets: createTickets(settings.tls.ticketRotationMs, options.ticketSecret),
    mirrors: createMirrors(settings),
    zones: createZones(settings.filters),
    ...hooks,
    connections,
    now: performance.now(),
    dateLine: dateLine(),
    closing: false,
    onAccess: options.onAccess,
    onStream: options.onStream,
    metrics,
    timed: options.onAccess !== undefined || metrics !== undefined,
    reporter,
  };
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
