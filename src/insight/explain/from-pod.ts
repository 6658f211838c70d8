/** The first step for a Pod that asks: what its resolver makes of the name, and where the address leads. */
import type { Service } from '../../kube/types/index.ts';
import { createAsker } from '../ask.ts';
import { type LookupResult, lookup } from '../lookup/lookup.ts';
import { resolvConfOf } from '../pod.ts';
import type { ResolvConf } from '../resolvconf/resolvconf.ts';
import type { World } from '../world.ts';
import type { ExplainRequest, Step } from './types.ts';

export type Landing =
  /** Straight to a Service: no load balancer, no route. */
  | { readonly to: 'service'; readonly step: Step; readonly service: Service }
  /** To a door of the plan, as from the internet; `details` belong to the first step. */
  | { readonly to: 'door'; readonly details: readonly string[] }
  | { readonly to: 'nowhere'; readonly step: Step };

function addressesOf({ answers }: LookupResult): string[] {
  return answers.flatMap(
    (answer) => /\s(?:A|AAAA)\s+(\S+)$/.exec(answer)?.[1] ?? (/^[0-9a-f.:]+$/i.test(answer) ? [answer] : []),
  );
}

/** The Service that owns an address, or whose full name was found (headless Services have no address of their own). */
function serviceBehind(world: World, found: string, addresses: readonly string[]): Service | undefined {
  const [name, namespace, svc] = found.replace(/\.$/, '').split('.');
  const named = svc === 'svc' ? world.store.get<Service>('services', `${namespace}/${name}`) : undefined;
  if (named) return named;
  return world.store
    .list<Service>('services')
    .find(({ spec }) => (spec.clusterIPs ?? [spec.clusterIP]).some((ip) => ip && addresses.includes(ip)));
}

function broken(request: ExplainRequest, conf: ResolvConf, result: LookupResult, world: World): Step {
  const asked = result.steps.map(({ name, outcome }) => `asked ${name}: ${outcome}`);
  const cluster = conf.nameservers.some((server) => world.dnsAddresses.includes(server));
  return {
    step: 1,
    name: 'name',
    status: 'broken',
    summary: `${request.from} does not find ${request.hostname}: ${result.outcome}`,
    details: [`dnsPolicy ${conf.policy.effective}: ${conf.policy.why}`, ...asked],
    fix: cluster
      ? `check the name; inside the cluster it is SERVICE.NAMESPACE.svc.${world.clusterDomain}`
      : 'the Pod does not ask the cluster’s DNS: set dnsPolicy to ClusterFirst, or to ClusterFirstWithHostNet with hostNetwork',
  };
}

/** Where a request of a Pod comes out. Queries go to the cluster's DNS only; the node's resolvers are not asked. */
export async function landFromPod(world: World, request: ExplainRequest): Promise<Landing> {
  const conf = resolvConfOf(world, request.from);
  if (!conf.ok) {
    const step: Step = {
      step: 1,
      name: 'name',
      status: 'broken',
      summary: conf.error,
      details: [],
      fix: 'name a Pod that exists with --from NAMESPACE/POD',
    };
    return { to: 'nowhere', step };
  }
  const asker = createAsker(world, { network: false });
  const result = await lookup({
    name: request.hostname.replace(/^\[|\]$/g, ''),
    resolvConf: conf.value.text,
    ask: asker.ask,
  });
  await asker.close();
  const addresses = addressesOf(result);
  const queries = `${result.queries} ${result.queries === 1 ? 'query' : 'queries'}, ${result.wasted} wasted`;
  const service = result.foundAs === undefined ? undefined : serviceBehind(world, result.foundAs, addresses);
  if (service) {
    const summary = `${request.hostname} → ${result.foundAs} → ${addresses.join(', ')}`;
    return { to: 'service', service, step: { step: 1, name: 'name', status: 'ok', summary, details: [queries] } };
  }
  const doors = new Set(world.plan.listeners.map(({ address }) => address));
  const resolvedElsewhere =
    !conf.value.nameservers.some((server) => world.dnsAddresses.includes(server)) && request.hostname.includes('.');
  if (
    addresses.some((address) => doors.has(address)) ||
    (resolvedElsewhere && !request.hostname.endsWith(world.clusterDomain))
  )
    return { to: 'door', details: [queries] };
  return { to: 'nowhere', step: broken(request, conf.value, result, world) };
}
