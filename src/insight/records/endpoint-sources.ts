/** Which EndpointSlice publishes an address of a Service, and which object stands behind it. */
import type { ObjectRef } from '../../base/diagnostics/index.ts';
import { canonicalAddress } from '../../dns/wire/address.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import { type EndpointSlice, serviceNameLabel } from '../../kube/types/index.ts';

export interface EndpointSource {
  /** Name of the EndpointSlice. */
  readonly slice: string;
  /** Usually a Pod. */
  readonly target?: { readonly kind: string; readonly namespace?: string; readonly name: string };
}

export interface EndpointSources {
  at(service: ObjectRef | undefined, address: string): EndpointSource | undefined;
}

const slices = 'endpointslices.discovery.k8s.io';

function sourcesIn(slice: EndpointSlice): [string, EndpointSource][] {
  return (slice.endpoints ?? []).flatMap(({ addresses, targetRef }) =>
    (addresses ?? []).flatMap((text): [string, EndpointSource][] => {
      const address = canonicalAddress(text);
      if (!address) return [];
      const { kind, name, namespace = slice.metadata.namespace } = targetRef ?? {};
      const target = kind && name ? { kind, name, ...(namespace && { namespace }) } : undefined;
      return [[address, { slice: slice.metadata.name, ...(target && { target }) }]];
    }),
  );
}

/** A picture of the moment: slices that change later do not show. */
export function createEndpointSources(store: StoreReader): EndpointSources {
  const byService = new Map<string, Map<string, EndpointSource>>();
  for (const slice of store.list<EndpointSlice>(slices)) {
    const service = slice.metadata.labels?.[serviceNameLabel];
    if (!service) continue;
    const key = `${slice.metadata.namespace ?? 'default'}/${service}`;
    const known = byService.get(key) ?? new Map<string, EndpointSource>();
    for (const [address, source] of sourcesIn(slice)) known.set(address, source);
    byService.set(key, known);
  }
  return {
    at: (service, address) =>
      service && byService.get(`${service.namespace ?? 'default'}/${service.name}`)?.get(address),
  };
}
