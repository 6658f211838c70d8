/** Listeners, as far as what they are written in and refer to says: what each may carry, and with which certificates. */
import { type Context, type Fault, someOf } from './context.ts';
import { normalizeHostname } from './hostnames.ts';
import { gatewayGroup, type RouteKind, type ServedProtocol, servedProtocols } from './kinds.ts';
import { type ListenerOwner, type ListenerSpec, terminatesTls } from './model.ts';
import { type NamespaceRule, namespaceRule, unknownOperator } from './namespaces.ts';
import { type ListenerCertificates, resolveCertificates } from './tls.ts';
import { resolveTlsOptions } from './tls-options.ts';

/** A listener before its neighbours, its Gateway and other Gateways have had their say. */
export interface ListenerDraft {
  readonly owner: ListenerOwner;
  readonly index: number;
  readonly spec: ListenerSpec;
  /** `*` when the listener names none. */
  readonly hostname: string;
  /** Undefined for a protocol that is not served. */
  readonly protocol: ServedProtocol | undefined;
  readonly supportedKinds: readonly RouteKind[];
  readonly allowsNamespace: NamespaceRule;
  /** Of listeners that terminate TLS. */
  readonly tls?: ListenerCertificates;
  readonly alpn?: readonly string[];
  /** ResolvedRefs=False, for kinds that the listener cannot carry. */
  readonly kindsFault?: Fault;
}

export function draftListeners(context: Context, owner: ListenerOwner): ListenerDraft[] {
  return (owner.object.spec.listeners ?? []).map((spec, index) => {
    const fieldPath = `spec.listeners[${index}]`;
    const protocol = servedProtocols.get(spec.protocol);
    const kinds = resolveKinds(context, owner, spec, protocol, fieldPath);
    const tls = protocol && terminatesTls(spec) ? resolveCertificates(context, owner, index) : undefined;
    const alpn = resolveTlsOptions(context, owner.object, spec, `${fieldPath}.tls.options`);
    return {
      owner,
      index,
      spec,
      hostname: hostnameOf(spec),
      protocol,
      supportedKinds: kinds.supported,
      allowsNamespace: namespaceRule(context, spec.allowedRoutes?.namespaces ?? {}, owner.namespace),
      ...(tls && { tls }),
      ...(alpn && { alpn }),
      ...(kinds.fault && { kindsFault: kinds.fault }),
    };
  });
}

/** TCP and UDP know no hostnames: the field is ignored there. */
function hostnameOf({ protocol, hostname }: ListenerSpec): string {
  return protocol === 'TCP' || protocol === 'UDP' ? '*' : normalizeHostname(hostname);
}

/** A field that must not be passed over, because what it asks for protects something. */
export function unservedField(
  spec: ListenerSpec,
  fieldPath: string,
): { fieldPath: string; message: string; hint: string } | undefined {
  const operator = unknownOperator(spec.allowedRoutes?.namespaces ?? {});
  if (operator !== undefined)
    return {
      fieldPath: `${fieldPath}.allowedRoutes.namespaces.selector`,
      message: `${operator} is not a valid operator of a label selector`,
      hint: 'Use In, NotIn, Exists or DoesNotExist.',
    };
  if (spec.protocol !== 'HTTPS' || spec.tls?.mode !== 'Passthrough') return undefined;
  return {
    fieldPath: `${fieldPath}.tls.mode`,
    message: 'an HTTPS listener terminates TLS; Passthrough needs protocol TLS',
    hint: 'Set protocol to TLS, or mode to Terminate.',
  };
}

function resolveKinds(
  context: Context,
  owner: ListenerOwner,
  spec: ListenerSpec,
  protocol: ServedProtocol | undefined,
  fieldPath: string,
): { supported: RouteKind[]; fault?: Fault } {
  const carried = protocol?.kinds ?? [];
  const asked = spec.allowedRoutes?.kinds ?? [];
  // Of a protocol that is not served, the protocol is the one thing to mend.
  if (!protocol || asked.length === 0) return { supported: [...carried] };
  const supported = new Set<RouteKind>();
  const invalid: string[] = [];
  for (const { group = gatewayGroup, kind } of asked) {
    const known = carried.find((candidate) => candidate === kind && group === gatewayGroup);
    if (known) supported.add(known);
    else invalid.push(group === gatewayGroup ? kind : `${kind}.${group || 'core'}`);
  }
  if (invalid.length === 0) return { supported: [...supported] };
  const message = `a listener of protocol ${spec.protocol} does not carry ${someOf(invalid)}; it carries ${carried.join(', ')}`;
  const at = `${fieldPath}.allowedRoutes.kinds`;
  const hint = `Remove ${someOf(invalid)} from allowedRoutes.kinds, or set protocol to one that carries it.`;
  const fault = context.fault('FW3103', owner.object, at, { reason: 'InvalidRouteKinds', message, hint });
  return { supported: [...supported], fault };
}
