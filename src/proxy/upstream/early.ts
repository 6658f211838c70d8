/** Backends that are reached before the first request: those that are checked, or have connections in advance. */
import type { Backend, Plan } from '../../routing/plan/plan.ts';
import type { Runtime } from '../runtime.ts';
import { isHttp2 } from './upstreams.ts';

/** To be called when a plan is in force. */
export function reachEarly(plan: Plan, runtime: Runtime): void {
  for (const backend of Object.values(plan.backends)) {
    const { policy } = backend;
    if (!policy?.healthCheck && !policy?.warmConnections) continue;
    if (backend.tls) reachSecured(backend, plan, runtime);
    else runtime.upstreams.of(backend.id, undefined, isHttp2(backend.protocol));
  }
}

/** What a backend is shown depends on the listener; mostly it is shown nothing. */
function reachSecured(backend: Backend, plan: Plan, runtime: Runtime): void {
  const shown = new Map(plan.listeners.map((listener) => [listener.backendClientCertificate, listener]));
  for (const listener of shown.values()) {
    const identity = runtime.identities.of(plan, backend, listener);
    if (!('problem' in identity)) runtime.upstreams.of(backend.id, identity, isHttp2(backend.protocol));
  }
}
