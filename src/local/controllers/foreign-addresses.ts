/**
 * Lets in Services that were exported from another cluster: a cluster address outside the local range is set aside
 * before admission, which would otherwise hold on to it ("may not change once set"). What was asked for stays in an
 * annotation, and the Service is given an address of its own.
 */
import { parseIp } from '../../base/ip.ts';
import type { Admission, AdmissionRequest } from '../../kube/objects.ts';
import type { ServiceSpec, Unstructured } from '../../kube/types/index.ts';
import { type ClusterConfig, defaultClusterConfig } from '../config.ts';
import { createPool4, createPool6 } from './pool.ts';

/** Annotation of a Service: the cluster addresses that it asked for and that lie outside the range, with commas. */
export const requestedAddressesAnnotation = 'fairway.dev/requested-cluster-ips';

function isServiceWrite({ resource, subresource }: AdmissionRequest): boolean {
  return resource.group === '' && resource.kind === 'Service' && subresource === undefined;
}

/** An admission for `createObjectApi` in front of another one. Services with foreign addresses get a warning. */
export function admitForeignAddresses(admit: Admission, config: ClusterConfig = defaultClusterConfig): Admission {
  const pools = [createPool4(config.servicePrefix), createPool6(config.servicePrefix6)];

  function foreignIn(spec: Partial<ServiceSpec> | undefined): string[] {
    const asked = [spec?.clusterIP, ...(Array.isArray(spec?.clusterIPs) ? spec.clusterIPs : [])];
    const foreign = asked.filter(
      (text): text is string =>
        typeof text === 'string' && parseIp(text) !== undefined && !pools.some((pool) => pool.has(text)),
    );
    return [...new Set(foreign)];
  }

  function setAside(object: Unstructured, foreign: readonly string[]): Unstructured {
    const { clusterIP: _a, clusterIPs: _b, ...spec } = object.spec as ServiceSpec;
    const annotations = { ...object.metadata.annotations, [requestedAddressesAnnotation]: foreign.join(',') };
    return { ...object, metadata: { ...object.metadata, annotations }, spec };
  }

  return (request) => {
    const foreign = isServiceWrite(request) ? foreignIn(request.object.spec as Partial<ServiceSpec> | undefined) : [];
    if (foreign.length === 0) return admit(request);
    const result = admit({ ...request, object: setAside(request.object, foreign) });
    const warning = `spec.clusterIP: ${foreign.join(', ')} is outside the Service range of this cluster (${config.servicePrefix}.0.0/16); another address is assigned`;
    return { ...result, warnings: [...result.warnings, warning] };
  };
}
