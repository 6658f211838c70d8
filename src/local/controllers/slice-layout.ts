/**
 * How endpoints are spread over EndpointSlices: at most 100 in each, each staying in the slice that it is in, so that
 * a change of one endpoint rewrites one slice.
 */
import { sortedJson } from '../../base/sorted-json.ts';
import type { EndpointSlice, KubeObject, ObjectMeta, Service, SliceEndpoint } from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';
import { compareText, slicesResource } from './indexes.ts';
import { generatedName } from './naming.ts';
import type { EndpointGroup } from './service-endpoints.ts';

/** As kube-controller-manager's `--max-endpoints-per-slice`. */
const maxEndpoints = 100;

export interface LayoutInput {
  /** The Service, or the Endpoints that are mirrored: slices are named after it. */
  readonly service: Pick<Service, 'metadata'>;
  readonly groups: readonly EndpointGroup[];
  /** Slices that are there now and may be changed. */
  readonly present: readonly EndpointSlice[];
  /** What all slices have in their metadata. */
  readonly metadata: Partial<ObjectMeta>;
  /** Whether a slice name belongs to somebody else. */
  readonly isTaken: (name: string) => boolean;
}

const byName = (a: EndpointSlice, b: EndpointSlice) => compareText(a.metadata.name, b.metadata.name);
const idOf = (endpoint: SliceEndpoint) => endpoint.targetRef?.uid ?? endpoint.addresses.join(',');
const orderOf = (endpoint: SliceEndpoint) => endpoint.targetRef?.name ?? endpoint.addresses[0] ?? '';
const inOrder = (a: SliceEndpoint, b: SliceEndpoint) =>
  compareText(orderOf(a), orderOf(b)) || compareText(idOf(a), idOf(b));

interface Page {
  name: string | undefined;
  endpoints: SliceEndpoint[];
}

/** Endpoints stay on the page they are on; new ones go where there is room, then on new pages. */
function paginate(group: EndpointGroup, present: readonly EndpointSlice[]): Page[] {
  const wanted = new Map([...group.endpoints].sort(inOrder).map((endpoint) => [idOf(endpoint), endpoint]));
  const pages = present.map((slice): Page => {
    const endpoints: SliceEndpoint[] = [];
    for (const id of slice.endpoints.map(idOf)) {
      const endpoint = wanted.get(id);
      if (endpoint && wanted.delete(id)) endpoints.push(endpoint);
    }
    return { name: slice.metadata.name, endpoints };
  });
  const kept = pages.filter((page) => page.endpoints.length > 0);
  const rest = [...wanted.values()];
  for (const page of kept) page.endpoints.push(...rest.splice(0, Math.max(0, maxEndpoints - page.endpoints.length)));
  while (rest.length > 0) kept.push({ name: undefined, endpoints: rest.splice(0, maxEndpoints) });
  if (kept.length === 0) kept.push({ name: undefined, endpoints: [] });
  for (const page of kept) page.endpoints.sort(inOrder);
  return kept;
}

/** Makes the slices that are there into those that should be; the ones that are right are not touched. */
export function writeSlices(
  ctx: ControllerContext,
  owner: KubeObject,
  wanted: readonly EndpointSlice[],
  present: readonly EndpointSlice[],
): void {
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  for (const slice of present) if (!names.has(slice.metadata.name)) ctx.write.remove(slicesResource, slice);
  for (const slice of wanted) {
    const old = present.find(({ metadata }) => metadata.name === slice.metadata.name);
    if (old) ctx.write.update<EndpointSlice>({ ...slice, metadata: { ...old.metadata, ...slice.metadata } });
    else ctx.write.create(slice, owner);
  }
}

/** The EndpointSlices that should be there. Slices that are no longer needed lend their names to new ones. */
export function layOut(input: LayoutInput): EndpointSlice[] {
  const { service, groups, metadata } = input;
  const base = service.metadata.name;
  const present = [...input.present].sort(byName);
  const idOfPorts = (slice: Pick<EndpointSlice, 'ports'>) => sortedJson(slice.ports ?? []);
  const pages = groups.flatMap((group) => {
    const id = sortedJson(group.ports);
    const same = present.filter((slice) => slice.addressType === group.family && idOfPorts(slice) === id);
    return paginate(group, same).map((page) => ({ group, page }));
  });
  const used = new Set(pages.flatMap(({ page }) => page.name ?? []));

  function nameFor(family: string): string {
    const idle = present.find((slice) => slice.addressType === family && !used.has(slice.metadata.name));
    if (idle) return idle.metadata.name;
    for (let number = 0; ; number++) {
      const name = generatedName(base, `${service.metadata.namespace}/${base}/${family}/${number}`);
      if (!used.has(name) && !input.isTaken(name)) return name;
    }
  }

  return pages.map(({ group, page }) => {
    const name = page.name ?? nameFor(group.family);
    used.add(name);
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, name, namespace: service.metadata.namespace!, generateName: `${base}-` },
      addressType: group.family,
      endpoints: page.endpoints,
      ports: [...group.ports],
    };
  });
}
