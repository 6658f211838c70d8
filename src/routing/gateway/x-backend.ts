/** References to XBackends → backends of the plan. */
import { type Backend, type BackendId, externalBackendId } from '../plan/plan.ts';
import { protocolOfXBackend, type XBackendState } from '../x-backends.ts';
import { type Refusal, refuse } from './backend-refusal.ts';
import type { BackendRef, Spoken } from './backends.ts';
import type { Context } from './context.ts';

/** Undefined: there is no such XBackend. */
export function ofXBackend(
  context: Context,
  state: XBackendState | undefined,
  { name, port }: BackendRef,
  namespace: string,
  spoken: Spoken | 'TCP' | 'UDP',
): Backend | Refusal {
  const label = `the XBackend ${namespace}/${name}`;
  if (!state) return refuse('FW3401', 'BackendNotFound', `${label} does not exist`, 'Create it, or correct name and namespace.'); // biome-ignore format: one line
  if (state.fault) {
    const { fieldPath, message, hint } = state.fault;
    return refuse('FW3415', 'UnsupportedValue', `${label} cannot be used: ${fieldPath}: ${message}`, hint);
  }
  // BackendObjectReference.port: of other things than Services it may be derived from what is referred to.
  if (port !== undefined && port !== state.port)
    return refuse('FW3401', 'BackendNotFound', `${label} has port ${state.port}, not ${port}`, 'Leave the port out.');
  const protocol = protocolOfXBackend(state, spoken);
  if (!protocol) {
    const { protocol: own = 'HTTP' } = state.object.spec;
    const hint = 'Change spec.protocol of the XBackend, or refer to another one.';
    return refuse(
      'FW3404',
      'UnsupportedProtocol',
      `${label} has protocol ${own}, which ${spoken} cannot be sent over`,
      hint,
    );
  }
  if (!state.tls)
    context.reportOnce('FW3416', state.object, 'spec.tls', `what is sent to ${state.hostname} is neither encrypted nor verified`); // biome-ignore format: one line
  return {
    id: idOf(state, namespace, name, spoken, protocol),
    namespace,
    service: name,
    port: state.port,
    external: { hostname: state.hostname },
    protocol,
    ...(state.tls && { tls: state.tls }),
    source: context.provenance(state.object, 'spec'),
  };
}

/** Routes of different kinds may speak differently to the same destination. */
function idOf(
  state: XBackendState,
  namespace: string,
  name: string,
  spoken: Spoken | 'TCP' | 'UDP',
  protocol: Backend['protocol'],
): BackendId {
  const id = externalBackendId(namespace, name, state.port);
  if (protocol === 'tcp') return `${id}/TCP`;
  return spoken === 'gRPC' && protocolOfXBackend(state, 'HTTP') !== protocol ? `${id}/gRPC` : id;
}
