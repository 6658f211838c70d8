/**
 * Every option of a data plane that people can set, with what it may be. The type of the table is that of the options:
 * an option without a row here does not compile.
 */
import { isViaName } from '../exchange/forwarded.ts';
import type { ProxyOptions } from '../options.ts';
import { blocks, count, oneOf, type Rule, share, size, text, time, truth } from './rules.ts';

/** Not for people: what calls back, what a flag of the access log comes down to, and what processes of one data plane hand to each other. */
type Internal =
  | 'metrics'
  | 'onAccess'
  | 'accessLines'
  | 'onStream'
  | 'onSpan'
  | 'onDiagnostic'
  | 'listen'
  | 'ticketSecret'
  | 'affinitySecret';

/** What can be written in a file: the options that are data. */
export type DataPlaneOptions = Omit<ProxyOptions, Internal>;

/** The rules of a section, or of a single value. */
type RulesFor<T> = T extends string ? Rule<T> : { readonly [Name in keyof T]-?: Rule<NonNullable<T[Name]>> };

export type Schema = { readonly [Name in keyof DataPlaneOptions]-?: RulesFor<NonNullable<DataPlaneOptions[Name]>> };

const KIB = 1_024;
const MIB = 1_024 * KIB;
const GIB = 1_024 * MIB;
/** Of connections, requests and other things that take memory each. */
const MANY = 1_000_000;
/** Windows of HTTP/2 (RFC 9113 section 6.9.1). */
const MAX_WINDOW = 2_147_483_647;

export const schema: Schema = {
  zone: text('a zone as topology.kubernetes.io/zone names it: letters, digits, - _ . and at most 63 of them', (value) =>
    /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(value),
  ),
  tls: {
    // RFC 8446 section 4.6.1: tickets are good for a week at most.
    ticketRotationMs: time(1_000, 7 * 24 * 3_600_000),
  },
  client: {
    maxConnections: count(1, MANY),
    maxHeadBytes: size(KIB, 16 * MIB),
    maxHeaders: count(1, 10_000),
    maxTargetBytes: size(64, 16 * MIB),
    maxPatternSteps: count(1_000, GIB),
    headTimeoutMs: time(1),
    keepAliveTimeoutMs: time(1),
    bodyTimeoutMs: time(1),
    sendTimeoutMs: time(1),
    halfCloseGraceMs: time(1),
    lingerMs: time(1),
    maxPipelinedBytes: size(KIB, GIB),
    maxPipelinedBurst: count(1, MANY),
    tlsHandshakeTimeoutMs: time(1),
  },
  http2: {
    maxConcurrentStreams: count(1, MANY),
    streamWindowBytes: size(KIB, MAX_WINDOW),
    // It cannot be made smaller than it is at the start of a connection.
    connectionWindowBytes: size(65_535, MAX_WINDOW),
    maxSessionBytes: size(1_000_000, GIB),
    maxResets: count(1, MANY),
    resetsPerSecond: count(0, MANY),
    pingIntervalMs: time(1),
    maxIdleFrames: count(16, MANY),
    idleFramesPerSecond: count(1, MANY),
    maxContinuations: count(1, 1_024),
  },
  upstream: {
    connectTimeoutMs: time(1),
    responseTimeoutMs: time(1),
    idleTimeoutMs: time(1),
    maxIdlePerEndpoint: count(0, MANY),
    maxConnectionsPerEndpoint: count(1, MANY),
    pingIntervalMs: time(1),
    maxStreamsPerConnection: count(1, MANY),
    retryBudgetPercent: count(0, 1_000),
    minRetriesPerSecond: count(0, MANY),
    maxConnectAttempts: count(1, 100),
    maxHeadBytes: size(KIB, 16 * MIB),
    maxHeaders: count(1, 10_000),
    maxInformational: count(0, 1_000),
    pendingTimeoutMs: time(1),
    maxHealthChecks: count(1, MANY),
  },
  relay: {
    // Connections to HTTP/2 backends have a window of 16 times as much.
    // Node tells of a socket that has drained once it has held its high-water mark of 16 KiB.
    bufferBytes: size(16 * KIB, 64 * MIB),
    maxReadBuffers: count(0, MANY),
    maxChunkExtensionBytes: size(0, MIB),
    maxTrailerBytes: size(0, 16 * MIB),
    maxRepeatBytes: size(0, GIB),
    tunnelIdleTimeoutMs: time(1),
  },
  filters: {
    maxMirrorCopies: count(0, MANY),
    mirrorBufferBytes: size(0, GIB),
    mirrorTimeoutMs: time(1),
    maxRateLimitKeys: count(1, 100 * MANY),
    maxPasswordChecksPerSecond: count(1, MANY),
    maxPasswordQueue: count(1, MANY),
    maxSubrequests: count(0, MANY),
    // Held as text, which Node.js lets grow to half a GiB.
    maxSubrequestBodyBytes: size(0, 256 * MIB),
    subrequestTimeoutMs: time(1),
    maxAuthOutcomes: count(1, MANY),
    maxEncoders: count(0, MANY),
  },
  stream: {
    maxConnections: count(1, MANY),
    idleTimeoutMs: time(1),
    maxHelloBytes: size(512, MIB),
    helloTimeoutMs: time(1),
    maxUdpFlows: count(1, MANY),
    udpIdleTimeoutMs: time(1),
  },
  forwarded: {
    headers: oneOf('x-forwarded', 'forwarded', 'both', 'none'),
    via: text(
      "a token or a host, as in door-1 or proxy.example:80, or '' for none",
      (value) => value === '' || isViaName(value),
    ),
    trustedProxies: blocks,
  },
  proxyProtocol: {
    from: blocks,
    // The longest header of version 1.
    maxHeaderBytes: size(107, 64 * KIB),
    timeoutMs: time(1),
  },
  telemetry: {
    accessSampleRate: share,
    startTraces: truth,
    traceSampleRate: share,
    maxRouteSeries: count(0, 10_000),
    maxBackendSeries: count(0, 10_000),
    maxCertificateSeries: count(0, 10_000),
  },
};
