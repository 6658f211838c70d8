/**
 * The data plane as a process of its own: `subject ADDRESS PORT BACKEND-ADDRESS BACKEND-PORT [metrics] [json|combined]`.
 * The words add metrics, and an access log of all requests to /dev/null. Prints `ready`.
 */
import { createMetricsRegistry } from '../../src/base/metrics.ts';
import { openAccessLog } from '../../src/proxy/log/access-log.ts';
import { accessLogFormats } from '../../src/proxy/log/format.ts';
import { createProxy } from '../../src/proxy/proxy.ts';
import { backendId, listenerId, type Plan, type Provenance } from '../../src/routing/plan/plan.ts';

const [address = '', port = '', backendAddress = '', backendPort = '', ...words] = process.argv.slice(2);
const source: Provenance = { object: { apiVersion: 'v1', kind: 'Bench', name: 'bench' } };
const backend = backendId('bench', 'app', 80);
const plan: Plan = {
  listeners: [
    {
      id: listenerId(address, Number(port), 'HTTP'),
      address,
      port: Number(port),
      protocol: 'HTTP',
      sources: [source],
      hosts: [
        {
          hostname: '*',
          wildcard: 'any-depth',
          sources: [source],
          routes: [
            {
              id: 'bench',
              match: { path: { type: 'prefix', value: '/' } },
              filters: [],
              action: { type: 'forward', backends: [{ weight: 1, backend, filters: [], source }] },
              source,
            },
          ],
        },
      ],
    },
  ],
  backends: { [backend]: { id: backend, namespace: 'bench', service: 'app', port: 80, protocol: 'http1', source } },
  certificates: {},
};

const metrics = words.includes('metrics') ? createMetricsRegistry() : undefined;
const format = accessLogFormats.find((one) => words.includes(one));
const log = format && (await openAccessLog({ path: '/dev/null', format }));
const proxy = createProxy({ metrics, onAccess: log?.record });
proxy.onReport(({ generation }) => {
  if (generation === 2) console.log('ready');
});
const endpoint = { address: backendAddress, port: Number(backendPort), ready: true, serving: true, terminating: false };
proxy.send({ type: 'endpoints', generation: 1, changed: { [backend]: [endpoint] } });
proxy.send({ type: 'plan', generation: 2, plan, bindings: {} });
process.on('SIGTERM', () => proxy.close(0).then(() => process.exit(0)));
