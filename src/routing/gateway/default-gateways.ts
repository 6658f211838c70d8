/**
 * Default Gateways (GEP-3793): a route with `useDefaultGateways: All` attaches to every Gateway with `defaultScope: All`,
 * as if its parentRefs named them.
 */
import type { Gateway } from '../../kube/types/index.ts';
import type { Context } from './context.ts';
import { gatewayGroup, resources } from './kinds.ts';
import type { ParentRef, RouteObject } from './model.ts';
import type { GatewayStates } from './steady.ts';

/** The field that stands for the parentRefs of default Gateways. */
export const defaultsField = 'spec.useDefaultGateways';

/** The only scope there is beside None. */
export function isDefaultGateway({ spec }: Gateway): boolean {
  return spec.defaultScope === 'All';
}

export function asksForDefaults({ spec }: { readonly spec?: RouteObject['spec'] }): boolean {
  return spec?.useDefaultGateways === 'All';
}

/** Parents of a route besides those that it names, by name. One that it names whole is not there twice. */
export function defaultParents(gateways: GatewayStates, object: RouteObject): readonly ParentRef[] {
  if (!asksForDefaults(object)) return [];
  const named = new Set((object.spec.parentRefs ?? []).map((ref) => wholeGateway(object, ref)));
  return [...gateways]
    .filter(([key, state]) => isDefaultGateway(state.object) && !named.has(key))
    .map(([key, { object: gateway }]) => ({ key, metadata: gateway.metadata }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ metadata: { name, namespace = 'default' } }) => ({
      group: gatewayGroup,
      kind: 'Gateway',
      namespace,
      name,
    }));
}

/** `namespace/name`; undefined for a reference to a part of a Gateway, or to something else. */
function wholeGateway({ metadata }: RouteObject, ref: ParentRef): string | undefined {
  const { group = gatewayGroup, kind = 'Gateway', name, namespace, sectionName, port } = ref;
  if (group !== gatewayGroup || kind !== 'Gateway' || sectionName || port) return undefined;
  return `${namespace ?? metadata.namespace ?? 'default'}/${name}`;
}

/** Says of a route that is to attach to default Gateways alone why it attaches to none. */
export function reportNoDefault(context: Context, object: RouteObject): void {
  const isThere = context.input.store.list<Gateway>(resources.gateway).some(isDefaultGateway);
  const message = isThere
    ? 'the route names no Gateway, and the default Gateways belong to another controller'
    : 'the route names no Gateway, and no Gateway has defaultScope: All';
  context.report('FW3207', object, defaultsField, message);
}
