/** Backends that are reached before the first request: those that are checked, or have connections in advance. */
import { createSelection } from '../../routing/incremental/records.ts';
import type { Backend, Plan } from '../../routing/plan/plan.ts';
import type { Runtime } from '../runtime.ts';
import { isHttp2 } from './upstreams.ts';

/** What it returns is to be called when a plan is in force. */
export function createEarlyReach(runtime: Runtime): (plan: Plan) => void {
  const early = createSelection<Backend, Backend>((backend) => {
    const { healthCheck, warmConnections } = backend.policy ?? {};
    return healthCheck || warmConnections ? backend : undefined;
  });
  return (plan) => {
    for (const backend of early(plan.backends)) {
      // The stream listeners have reached theirs, as each of their routes speaks to them.
      if (backend.protocol === 'tcp' || backend.protocol === 'udp') continue;
      if (backend.tls) reachSecured(backend, plan, runtime);
      else runtime.upstreams.of(backend.id, undefined, isHttp2(backend.protocol));
    }
  };
}

/** What a backend is shown depends on the listener; mostly it is shown nothing. */
function reachSecured(backend: Backend, plan: Plan, runtime: Runtime): void {
  const shown = new Map(plan.listeners.map((listener) => [listener.backendClientCertificate, listener]));
  for (const listener of shown.values()) {
    const identity = runtime.identities.of(plan, backend, listener);
    if (!('problem' in identity)) runtime.upstreams.of(backend.id, identity, isHttp2(backend.protocol));
  }
}
