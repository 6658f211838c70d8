/** The rule of a TCPRoute, UDPRoute or TLSRoute → shares of a stream route. The API admits one rule per route. */
import type { TCPRoute, TLSRoute, UDPRoute } from '../../kube/types/index.ts';
import type { BackendId, StreamBackend } from '../plan/plan.ts';
import { withoutPolicy } from '../route-policy/policy.ts';
import type { Backends } from './backends.ts';
import { type Context, type Fault, faultAt, tell } from './context.ts';
import type { RouteKind } from './kinds.ts';
import type { RouteObject } from './model.ts';

/** Kinds of routes whose rules have nothing but backends. */
export type StreamKind = Extract<RouteKind, 'TCPRoute' | 'UDPRoute' | 'TLSRoute'>;

/** What is the same wherever the route attaches. */
export interface CompiledStreamRoute {
  /** `TCPRoute/shop/db/rules/0`. */
  readonly id: string;
  readonly name?: string;
  readonly backends: readonly StreamBackend[];
  /** Backends whose BackendTLSPolicy cannot be followed, with the reason: only bytes that are TLS already may go there. */
  readonly unfollowed: ReadonlyMap<BackendId, string>;
  /** References that lead nowhere (ResolvedRefs=False). */
  readonly refFaults: readonly Fault[];
}

type Rule = (TCPRoute | UDPRoute | TLSRoute)['spec']['rules'][number];

export function compileStreamRoute(
  context: Context,
  backends: Backends,
  object: RouteObject,
  kind: StreamKind,
): CompiledStreamRoute {
  withoutPolicy(context, object, `on a ${kind}`);
  const { rules = [] } = object.spec as { rules?: Rule[] };
  const { name, namespace = 'default' } = object.metadata;
  const rule = rules[0];
  const refFaults: Fault[] = [];
  const unfollowed = new Map<BackendId, string>();
  const shares = (rule?.backendRefs ?? []).map((ref, i): StreamBackend => {
    const field = `backendRefs[${i}]`;
    const fieldPath = `spec.rules[0].${field}`;
    const shared = { weight: ref.weight ?? 1, source: context.provenance(object, fieldPath, { rule: 0 }) };
    const found = backends.resolveStream(object, ref, fieldPath, kind === 'UDPRoute' ? 'UDP' : 'TCP');
    const tlsFault = 'id' in found ? backends.tlsFault(found) : undefined;
    if ('id' in found && tlsFault) unfollowed.set(found.id, tlsFault.message);
    // Whether the bytes of a TLSRoute are to be sent over TLS anew, the listener decides.
    const plain = kind === 'TLSRoute' ? undefined : tlsFault && tell('FW3407', fieldPath, tlsFault);
    const fault = 'id' in found ? plain : found;
    if (fault) refFaults.push(faultAt(`rules[0].${field}`, fault));
    if ('id' in found) return { ...shared, backend: found.id };
    return { ...shared, invalid: `${found.reason}: ${found.message}` };
  });
  reportUseless(context, object, rules, shares);
  return {
    id: `${kind}/${namespace}/${name}/rules/0`,
    ...(rule?.name && { name: rule.name }),
    backends: shares,
    unfollowed,
    refFaults,
  };
}

function reportUseless(
  context: Context,
  object: RouteObject,
  rules: readonly Rule[],
  shares: readonly StreamBackend[],
): void {
  if (rules.length > 1)
    context.report(
      'FW3304',
      object,
      'spec.rules[1]',
      'only the first rule counts: the kind has no matches to choose by',
    );
  if (shares.some(({ weight }) => weight > 0)) return;
  const reason = shares.length > 0 ? 'the weights of all backendRefs are zero' : 'the rule has no backendRefs';
  context.report('FW3305', object, 'spec.rules[0]', `${reason}, so its traffic is refused`);
}
