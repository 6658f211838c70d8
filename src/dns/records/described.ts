/** A Service and its slices with the entry that they make, and what of it differs from the one before. */
import { sameJson } from '../../kube/client/same-json.ts';
import type { EndpointSlice, Service } from '../../kube/types/index.ts';
import { publishedAddresses, type ServiceEntry, serviceEntry, sliceAddresses } from './entry.ts';

export interface Described {
  readonly entry: ServiceEntry;
  /** Those that have a say; none of an ExternalName. */
  readonly slices: readonly EndpointSlice[];
  readonly publishNotReady: boolean;
}

export function describe(service: Service, slices: readonly EndpointSlice[], podNames: boolean): Described {
  const entry = serviceEntry(service, slices, podNames);
  return {
    entry,
    slices: entry.form === 'externalName' ? [] : slices,
    publishNotReady: service.spec?.publishNotReadyAddresses === true,
  };
}

/** What a slice adds to answers; those that are the same object are not even looked at. */
function sameSlices(a: Described, b: Described, podNames: boolean): boolean {
  const pairwise = a.slices.length === b.slices.length && a.publishNotReady === b.publishNotReady;
  if (!pairwise) return sameJson(a.entry.endpoints, b.entry.endpoints);
  return a.slices.every((slice, i) => {
    const other = b.slices[i]!;
    if (slice === other) return true;
    return sameJson(
      sliceAddresses(slice, a.publishNotReady, podNames),
      sliceAddresses(other, b.publishNotReady, podNames),
    );
  });
}

/** Whether no answer tells the two apart: labels, annotations and target ports do not show in DNS. */
export function sameAnswers(a: Described | undefined, b: Described | undefined, podNames: boolean): boolean {
  if (!a || !b) return a === b;
  return (
    a.entry.form === b.entry.form &&
    a.entry.externalName === b.entry.externalName &&
    sameJson(a.entry.addresses, b.entry.addresses) &&
    sameJson(a.entry.ports, b.entry.ports) &&
    sameJson(a.entry.findings, b.entry.findings) &&
    sameSlices(a, b, podNames)
  );
}

function addressesOf({ slices, publishNotReady }: Described, but?: ReadonlySet<EndpointSlice>): string[] {
  const looked = but ? slices.filter((slice) => !but.has(slice)) : slices;
  return looked.flatMap((slice) => publishedAddresses(slice, publishNotReady));
}

/** Endpoint addresses that came and went, found from the slices that are not in both. */
export function addressChanges(
  before: Described | undefined,
  after: Described | undefined,
): { readonly added: readonly string[]; readonly removed: readonly string[] } {
  const alike = before?.publishNotReady === after?.publishNotReady;
  const old = before ? addressesOf(before, alike ? new Set(after?.slices) : undefined) : [];
  const added = after ? addressesOf(after, alike ? new Set(before?.slices) : undefined) : [];
  if (old.length === 0 || !after) return { added, removed: old };
  // An address may be in several slices of one Service.
  const remaining = new Set(addressesOf(after));
  return { added, removed: old.filter((address) => !remaining.has(address)) };
}
