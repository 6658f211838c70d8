/** Small plans of stream listeners for tests. */
import { type Backend, listenerId, type Plan, type StreamListener, type StreamRoute } from '../../routing/plan/plan.ts';
import { planOf, source } from '../testing/plans.ts';

export function streamBackend(id: string, protocol: 'tcp' | 'udp' = 'tcp'): Backend {
  return { id, namespace: 'default', service: id, port: 80, protocol, source };
}

export const share = (backend: string, weight = 1): StreamRoute['backends'][number] => ({ weight, backend, source });

export function streamRoute(more: Partial<StreamRoute> = {}): StreamRoute {
  return { id: 'Test/test/rules/0', serverName: '*', tls: 'none', backends: [share('app')], source, ...more };
}

export function streamListener(
  address: string,
  port: number,
  protocol: StreamListener['protocol'],
  routes: readonly StreamRoute[],
): StreamListener {
  return { id: listenerId(address, port, protocol), address, port, protocol, routes, sources: [source] };
}

export function streamPlan(streams: readonly StreamListener[], more: Partial<Plan> = {}): Plan {
  const ids = streams.flatMap(({ protocol, routes }) =>
    routes.flatMap(({ backends }) => backends.map(({ backend }) => [backend, protocol] as const)),
  );
  const backends = ids.flatMap(([id, protocol]) => (id ? [streamBackend(id, protocol === 'UDP' ? 'udp' : 'tcp')] : []));
  return { ...planOf([], backends), streams, ...more };
}
