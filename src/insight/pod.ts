/** One Pod of a world, by the name that a command was given, and the resolv.conf that its containers see. */
import { err, ok, type Result } from '../base/result.ts';
import type { Node, Pod } from '../kube/types/index.ts';
import { podOf, podResolvConf, type ResolvConf } from './resolvconf/resolvconf.ts';
import type { World } from './world.ts';

/** `namespace/name`; a name alone is in `default`. Workloads make names: a prefix that only one Pod has is enough. */
export function findPod(world: World, name: string): Result<Pod, string> {
  const parts = name.split('/');
  if (parts.length > 2 || parts.some((part) => part === '')) return err(`a Pod is named NAMESPACE/NAME, not ${name}`);
  const [namespace, pod] = parts.length === 2 ? [parts[0]!, parts[1]!] : ['default', parts[0]!];
  const exact = world.store.get<Pod>('pods', `${namespace}/${pod}`);
  if (exact) return ok(exact);
  const similar = world.store
    .list<Pod>('pods', namespace)
    .filter(({ metadata }) => metadata.name.startsWith(`${pod}-`));
  if (similar.length === 1) return ok(similar[0]!);
  const names = (similar.length > 0 ? similar : world.store.list<Pod>('pods', namespace))
    .map(({ metadata }) => metadata.name)
    .sort();
  const known =
    names.length > 0 ? `Pods of ${namespace}: ${names.slice(0, 10).join(', ')}` : `${namespace} has no Pods`;
  return err(`no Pod ${namespace}/${pod} in ${world.source}; ${known}`);
}

export function resolvConfOf(world: World, name: string): Result<ResolvConf, string> {
  const pod = findPod(world, name);
  if (!pod.ok) return pod;
  const nodes = world.store.list<Node>('nodes');
  const node = nodes.find(({ metadata }) => metadata.name === pod.value.spec.nodeName) ?? nodes[0];
  return ok(
    podResolvConf({
      pod: podOf(pod.value),
      nodeResolvConf: world.nodeResolvConf,
      clusterDNS: world.dnsAddresses,
      clusterDomain: world.clusterDomain,
      nodeAddresses:
        node?.status?.addresses?.filter(({ type }) => type === 'InternalIP').map(({ address }) => address) ?? [],
    }),
  );
}
