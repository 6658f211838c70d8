/**
 * The data plane as a process of its own: `subject FILE`, a JSON file of the shape of `Task`. Serves HTTP and HTTPS,
 * sends `ready` to its parent when the plan is in force, and answers `memory` with its figures after a collection
 * (needs --expose-gc).
 */
import { readFileSync } from 'node:fs';
import { createMetricsRegistry } from '../../src/base/metrics.ts';
import type { ProxyCommand } from '../../src/proxy/channel.ts';
import { openAccessLog } from '../../src/proxy/log/access-log.ts';
import { accessLogFormats } from '../../src/proxy/log/format.ts';
import { createProxy } from '../../src/proxy/proxy.ts';
import {
  backendId,
  type Listener,
  listenerId,
  type Plan,
  type Route,
  type VirtualHost,
} from '../../src/routing/plan/plan.ts';

interface Task {
  readonly address: string;
  readonly http: number;
  /** Absent: no HTTPS listener. */
  readonly https?: number;
  readonly tls: { readonly chain: string; readonly key: string };
  readonly backend: { readonly port: number };
  /** Hosts `h0.bench.example` and on, with routes `/r0` and on each. Absent: one route for everything. */
  readonly routes?: { readonly hosts: number; readonly perHost: number };
  /** `metrics`, and an access log of all requests to /dev/null. */
  readonly telemetry?: readonly string[];
}

const task = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Task;
const source = { object: { apiVersion: 'v1', kind: 'Bench', name: 'bench' } };
const backend = backendId('bench', 'app', 80);

function route(id: string, prefix: string): Route {
  return {
    id,
    match: { path: { type: 'prefix', value: prefix } },
    filters: [],
    action: { type: 'forward', backends: [{ weight: 1, backend, filters: [], source }] },
    source,
  };
}

function host(hostname: string, routes: readonly Route[]): VirtualHost {
  return { hostname, wildcard: 'any-depth', sources: [source], routes };
}

function hosts(): VirtualHost[] {
  const { routes } = task;
  if (!routes) return [host('*', [route('bench', '/')])];
  const names = Array.from({ length: routes.hosts }, (_, i) => `h${i}.bench.example`);
  return names.map((name) => {
    const paths = Array.from({ length: routes.perHost }, (_, i) => `/r${i}`);
    return host(
      name,
      paths.map((path, i) => route(`HTTPRoute/bench/${name}/rules/${i}/matches/0`, path)),
    );
  });
}

function listener(protocol: Listener['protocol'], port: number): Listener {
  const { address } = task;
  const id = listenerId(address, port, protocol);
  const tls = { certificates: [{ serverName: '*', certificate: 'bench' }] };
  // Only one of the two has the routes when there are many: memory is counted per route.
  const served = protocol === 'HTTP' || !task.routes ? hosts() : [];
  return { id, address, port, protocol, hosts: served, sources: [source], ...(protocol === 'HTTPS' && { tls }) };
}

const plan: Plan = {
  listeners: [listener('HTTP', task.http), ...(task.https === undefined ? [] : [listener('HTTPS', task.https)])],
  backends: { [backend]: { id: backend, namespace: 'bench', service: 'app', port: 80, protocol: 'http1', source } },
  certificates: { bench: { id: 'bench', ...task.tls, source } },
};

const words = task.telemetry ?? [];
const metrics = words.includes('metrics') ? createMetricsRegistry() : undefined;
const format = accessLogFormats.find((one) => words.includes(one));
const log = format && (await openAccessLog({ path: '/dev/null', format }));
const proxy = createProxy({
  metrics,
  onAccess: log?.record,
  accessLines: format === 'nginx',
  onDiagnostic: (finding) => console.error(finding.message),
});
proxy.onReport(({ generation }) => {
  if (generation === 2) process.send?.('ready');
});
const endpoint = { address: task.address, port: task.backend.port, ready: true, serving: true, terminating: false };
proxy.send({ type: 'endpoints', generation: 1, changed: { [backend]: [endpoint] } });
// As a worker gets it: no part of the plan is shared with anything else.
proxy.send(JSON.parse(JSON.stringify({ type: 'plan', generation: 2, plan, bindings: {} })) as ProxyCommand);

process.on('message', (message) => {
  if (message !== 'memory') return;
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  process.send?.(process.memoryUsage());
});
process.on('SIGTERM', () => proxy.close(0).then(() => process.exit(0)));
