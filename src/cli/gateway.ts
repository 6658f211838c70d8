/** `fairway gateway`: controller and data plane of a cluster's Gateways and Ingresses. */
import { randomUUID } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import type { Command } from 'commander';
import { type Diagnostic, formatDiagnostic } from '../base/diagnostics/index.ts';
import { type AcmePlace, defaultIssuersName } from '../control/acme/names.ts';
import {
  createGatewayProcess,
  type GatewayProcess,
  type GatewayProcessOptions,
} from '../control/cluster/gateway-process.ts';
import { openHealth } from '../control/cluster/health.ts';
import { createLineLog } from '../dns/server/log.ts';
import type { ClientConfig } from '../kube/client/config.ts';
import { findClientConfig } from '../kube/client/kubeconfig.ts';
import { createDataPlane } from '../local/data-plane.ts';
import { createTeardown } from '../local/teardown.ts';
import { openTelemetry, type Telemetry } from '../local/telemetry.ts';
import { placeOf } from './certificate-flags.ts';
import { addDataPlaneFlags, type DataPlaneFlags, dataPlaneOf } from './data-plane-flags.ts';
import { addGatewayFlags, type GatewayFlags } from './gateway-flags.ts';
import { collectWhenIdle } from './heap.ts';
import { ingressFlagsOf } from './ingress-nginx-flags.ts';
import { inlineLittle } from './inlining.ts';
import { CommandError, print } from './output.ts';
import { proxyWorkerCommand } from './proxy-worker.ts';
import { onStopSignal } from './signals.ts';
import { addTelemetryFlags, type TelemetryFlags, telemetryOf } from './telemetry-flags.ts';
import { version } from './version.ts';

type Flags = GatewayFlags & TelemetryFlags & DataPlaneFlags;

export function defineGateway(command: Command): void {
  addGatewayFlags(command);
  addTelemetryFlags(command);
  addDataPlaneFlags(command);
  command
    .addHelpText(
      'after',
      '\nExample:\n  fairway gateway --publish-service fairway/gateway --workers 4\n  fairway up --no-gateway & fairway gateway --server http://127.0.0.1:8001 --listen 127.0.0.1\n\nEnds with Ctrl-C or SIGTERM. Exit code: 0 after a clean stop, 1 when it could not start, 2 for wrong usage.',
    )
    .action(gateway);
}

function configOf({ kubeconfig, context, server }: Flags): ClientConfig {
  const config = findClientConfig({
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(context !== undefined && { context }),
    ...(server !== undefined && { server }),
  });
  if (!config.ok) throw new CommandError(config.error.message);
  return config.value;
}

/** Both families where there are both. */
function defaultListen(): string {
  const families = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ family }) => family));
  return families.includes('IPv6') ? '::' : '0.0.0.0';
}

/** For what is left to tell about traffic after the last request, in milliseconds. */
const leastTellingMs = 500;

const severities = { error: 'error', warning: 'warning', info: 'info' } as const;

async function gateway(flags: Flags): Promise<void> {
  const inlineAgain = inlineLittle();
  const config = configOf(flags);
  const log = createLineLog((text) => process.stdout.write(text));
  const find = (finding: Diagnostic) => log(severities[finding.severity], formatDiagnostic(finding));
  const file = dataPlaneOf(flags);
  for (const finding of file.diagnostics) find(finding);
  const stopped = new Promise<void>((resolve) => onStopSignal(resolve));
  const teardown = createTeardown();
  let role: GatewayProcess | undefined;
  try {
    const telemetry = await openTelemetry(telemetryOf(flags), find);
    teardown.add(() => telemetry.close(leastTellingMs));
    const health = await openHealth({ ...flags.health, unready: () => unready(role) });
    teardown.add(() => health.close());
    const workers = flags.workers > 0 && { workers: { count: flags.workers, command: proxyWorkerCommand() } };
    const proxy = createDataPlane({ dataPlane: file, ...workers }, telemetry, (finding) => {
      // Listeners that could not be bound are among the findings of the controller.
      if (finding.code !== 'FW5201') find(finding);
    });
    teardown.add((left) => proxy.close(left()));
    role = openRole(flags, { config, proxy, log, onFinding: find, ...metricsOf(telemetry) });
    teardown.add(role.stop);
    telemetry.show({ controller: () => role!.state });
    // Without workers this process carries the traffic, which is not to wait for it.
    if (flags.workers > 0) teardown.add(collectWhenIdle());
    void role.start().then((isReady) => {
      inlineAgain();
      if (isReady) print(`ready: ${config.server}, listeners on ${addressesOf(flags).listen}, health at ${health.url}`);
    });
    await stopped;
  } finally {
    await teardown.close(flags.drainTimeout * 1000);
  }
}

const metricsOf = ({ registry }: Telemetry) => (registry ? { metrics: registry } : {});

function openRole(
  flags: Flags,
  given: Pick<GatewayProcessOptions, 'config' | 'proxy' | 'log' | 'onFinding' | 'metrics'>,
): GatewayProcess {
  return createGatewayProcess({
    ...given,
    userAgent: `fairway-gateway/${version}`,
    addresses: addressesOf(flags),
    controllerName: flags.controllerName,
    gatewayServices: flags.gatewayServices,
    external: { allowed: flags.xbackendAllow ?? [], denied: flags.xbackendDeny ?? [] },
    ...(flags.events && { events: { instance: hostname() } }),
    acme: acmeOf(flags, given.config),
    ...ingressFlagsOf(flags),
    ...(flags.leaderElect && { election: electionOf(flags, given.config) }),
    statusWrites: { qps: flags.statusQps, burst: flags.statusQps * 2 },
  });
}

function unready(role: GatewayProcess | undefined): string | undefined {
  return role?.isReady() ? undefined : 'not everything has been read from the API and put in force';
}

function addressesOf({ listen = defaultListen(), ingressListen, address, publishService }: Flags) {
  return {
    listen,
    ...(ingressListen !== undefined && { ingressListen }),
    ...(address && { published: address }),
    ...(publishService !== undefined && { publishService }),
  };
}

function acmeOf({ acmeIssuers, leaseNamespace }: Flags, { namespace }: ClientConfig): AcmePlace {
  if (acmeIssuers !== undefined) return placeOf(acmeIssuers);
  return { namespace: leaseNamespace ?? namespace, name: defaultIssuersName };
}

/** Renewal and retries in client-go's proportions: 15, 10 and 2 seconds. */
function electionOf({ leaseName: name, leaseNamespace, leaseDuration }: Flags, { namespace }: ClientConfig) {
  const leaseMs = leaseDuration * 1000;
  return {
    ...{ name, namespace: leaseNamespace ?? namespace, identity: `${hostname()}_${randomUUID()}` },
    ...{ leaseMs, renewDeadlineMs: (leaseMs * 2) / 3, retryMs: Math.min(2000, leaseMs / 5) },
  };
}
