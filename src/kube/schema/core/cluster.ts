/** Namespace, Node, Lease: small kinds of the cluster itself. */
import { checkDns1123Label } from '../../../base/names.ts';
import type { Namespace, Unstructured } from '../../types/index.ts';
import { invalid, report } from '../fields.ts';
import { isCidr } from '../structural/formats.ts';
import { checkNonNegative, reportIf } from './checks.ts';
import { type CoreKind, flag, int32, list, object, text, texts } from './kind.ts';

/** The label by which selectors reach a namespace by name. */
export const namespaceNameLabel = 'kubernetes.io/metadata.name';

export const namespace: CoreKind = {
  shape: object({ spec: object({ finalizers: texts }) }),
  checkName: checkDns1123Label,
  defaults(given, { operation }) {
    const { metadata, spec } = given as unknown as Namespace;
    const labels = { ...metadata.labels, [namespaceNameLabel]: metadata.name };
    const named = { ...given, metadata: { ...metadata, labels } } as Unstructured;
    if (operation === 'update') return named;
    return { ...named, spec: { finalizers: ['kubernetes'], ...spec }, status: { phase: 'Active' } };
  },
};

export const node: CoreKind = {
  shape: object({
    spec: object({ podCIDR: text, podCIDRs: texts, providerID: text, unschedulable: flag, taints: list(object()) }),
    status: object({
      addresses: list(object({ type: text, address: text }, ['type', 'address'])),
      conditions: list(object()),
    }),
  }),
  validate(given, _change, faults) {
    const { podCIDR, podCIDRs = [] } = (given.spec ?? {}) as { podCIDR?: string; podCIDRs?: string[] };
    podCIDRs.forEach((range, i) => {
      if (!isCidr(range)) report(faults, invalid(`spec.podCIDRs[${i}]`, range, 'must be a valid CIDR value'));
    });
    if (podCIDR && podCIDRs.length > 0 && podCIDRs[0] !== podCIDR)
      report(faults, invalid('spec.podCIDRs', podCIDRs, 'first value must match `podCIDR`'));
  },
};

export const lease: CoreKind = {
  shape: object({
    spec: object({
      holderIdentity: text,
      leaseDurationSeconds: int32,
      leaseTransitions: int32,
      acquireTime: { type: 'string', format: 'date-time' },
      renewTime: { type: 'string', format: 'date-time' },
    }),
  }),
  validate(given, _change, faults) {
    const { leaseDurationSeconds: seconds, leaseTransitions } = (given.spec ?? {}) as Record<
      string,
      number | undefined
    >;
    if (seconds !== undefined && seconds <= 0)
      report(faults, invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
    if (leaseTransitions !== undefined)
      reportIf(faults, 'spec.leaseTransitions', leaseTransitions, checkNonNegative(leaseTransitions));
  },
};
