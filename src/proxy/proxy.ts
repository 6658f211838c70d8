/**
 * The data plane: HTTP, TCP, TLS and UDP from listeners of a plan to endpoints of its backends. It knows the
 * plan and the endpoints and nothing else of the cluster. Runs in this process; what it is told and what it reports
 * survives JSON, so that another process can run it as well.
 */
import { diagnostic } from '../base/diagnostics/index.ts';
import { MIN_SECRET_LENGTH } from './affinity/ids.ts';
import type { ProxyChannel, ProxyCommand, ProxyReport } from './channel.ts';
import { createTrust, isAddressBlock, isViaName } from './exchange/forwarded.ts';
import { streamHandlers } from './exchange/receive-http2.ts';
import { upstreamHandlers } from './exchange/upstream-events.ts';
import { createAnnouncements } from './listener/announced.ts';
import { conductOf } from './listener/client.ts';
import { createListeners } from './listener/listeners.ts';
import { TICK_MS } from './listener/sweep.ts';
import { defaults, type ProxyOptions } from './options.ts';
import { createRuntime, type Runtime, readClock } from './runtime.ts';
import { createStreams, type Streams } from './stream/streams.ts';
import { createEarlyReach } from './upstream/early.ts';

export type { AccessFlag, AccessRecord } from './access.ts';
export type {
  ClientLimits,
  ForwardedOptions,
  ProxyOptions,
  RelayLimits,
  TelemetryOptions,
  UpstreamLimits,
} from './options.ts';
export { defaults as proxyDefaults } from './options.ts';
export type { StreamFlag, StreamRecord } from './stream/record.ts';

/** Throws TypeError for what no data plane can be started with. */
export function checkOptions({ forwarded, affinitySecret }: ProxyOptions): void {
  const { via = '' } = forwarded ?? {};
  if (via !== '' && !isViaName(via))
    throw new TypeError(`forwarded.via: ${JSON.stringify(via)} is no token and no host`);
  if (affinitySecret !== undefined && affinitySecret.length < MIN_SECRET_LENGTH)
    throw new TypeError(`affinitySecret: shorter than ${MIN_SECRET_LENGTH} characters, which could be found by trying`);
}

/** Starts a data plane that does nothing yet: send it a plan and endpoints, in any order. */
export function createProxy(options: ProxyOptions = {}): ProxyChannel {
  checkOptions(options);
  const trusted = options.forwarded?.trustedProxies ?? [];
  const announcing = { ...defaults.proxyProtocol, ...options.proxyProtocol };
  const runtime = createRuntime(options, {
    upstreamHandlers,
    streamHandlers,
    announcements: createAnnouncements(announcing, createTrust(announcing.from)),
    isTrusted: createTrust(trusted),
  });
  for (const entry of [...trusted, ...announcing.from].filter((one) => !isAddressBlock(one))) {
    runtime.reporter.report(diagnostic('FW5205', { message: `${JSON.stringify(entry)} is not an address or CIDR` }));
  }
  const listeners = createListeners(runtime);
  const streams = createStreams(runtime, (id, socket) => listeners.adopt(id, socket));
  const reachEarly = createEarlyReach(runtime);
  const reporters: ((report: ProxyReport) => void)[] = [];
  const ticker = setInterval(tick, TICK_MS, runtime, streams);
  ticker.unref();
  /** Reports leave in the order of the commands. */
  let applied: Promise<void> = Promise.resolve();

  function acknowledge(generation: number, ready: Promise<unknown>): void {
    applied = applied
      .then(() => ready)
      .then(() => {
        if (runtime.closing) return;
        const report: ProxyReport = {
          type: 'applied',
          generation,
          listeners: { ...listeners.states(), ...streams.states() },
        };
        for (const reporter of reporters) reporter(report);
      });
  }

  function applyPlan(command: Extract<ProxyCommand, { type: 'plan' }>): void {
    runtime.reporter.nextPlan();
    runtime.metrics?.plan(command.generation, command.plan);
    runtime.upstreams.setBackends(command.plan.backends);
    streams.release(command.plan, command.bindings);
    const opened = [listeners.apply(command.plan, command.bindings), streams.apply(command.plan, command.bindings)];
    acknowledge(command.generation, Promise.all(opened));
    runtime.upstreams.prune(command.plan.backends, runtime.identities.update(command.plan));
    reachEarly(command.plan);
  }

  function applyEndpoints(command: Extract<ProxyCommand, { type: 'endpoints' }>): void {
    runtime.metrics?.endpoints(command.changed);
    for (const [id, endpoints] of Object.entries(command.changed)) runtime.upstreams.setEndpoints(id, endpoints);
    acknowledge(command.generation, Promise.resolve());
  }

  return {
    send(command) {
      if (runtime.closing) return;
      if (command.type === 'plan') applyPlan(command);
      else applyEndpoints(command);
    },
    onReport(reporter) {
      reporters.push(reporter);
    },
    async close(graceMs) {
      runtime.closing = true;
      listeners.close();
      streams.close();
      await drained(runtime, streams, graceMs);
      streams.cut();
      for (const served of [...runtime.connections]) conductOf(served).abort(served);
      runtime.announcements.close();
      runtime.upstreams.close();
      runtime.mirrors.close();
      runtime.passwords.close();
      clearInterval(ticker);
    },
  };
}

function tick(runtime: Runtime, streams: Streams): void {
  readClock(runtime);
  runtime.tickets.turn(Date.now());
  for (const served of runtime.connections) conductOf(served).sweep(served);
  streams.sweep();
  runtime.upstreams.expire(runtime.now);
  runtime.zones.expire(runtime.now);
}

/** Resolves when no connection is left or the time is up. */
function drained(runtime: Runtime, streams: Streams, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const until = performance.now() + graceMs;
    const look = () => {
      if (runtime.connections.size + streams.size === 0 || performance.now() >= until) resolve();
      else setTimeout(look, Math.min(20, graceMs));
    };
    look();
  });
}
