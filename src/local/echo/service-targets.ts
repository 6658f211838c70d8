/** Target ports that Services ask of the Pods they select, found by selector without looking at every Service. */

import { matchesServiceSelector } from '../../kube/selectors.ts';
import type { Change, StoreReader } from '../../kube/store/store.ts';
import type { Pod, Service } from '../../kube/types/index.ts';
import type { GuessedPort } from './pod-ports.ts';

export interface ServiceTargets {
  /** Numeric target ports of the Services that select the Pod. */
  portsOf(pod: Pod): GuessedPort[];
  stop(): void;
}

/** `onChange` is told of the namespace of each Service that comes, changes or goes. */
export function createServiceTargets(store: StoreReader, onChange: (namespace: string) => void): ServiceTargets {
  /** Services by namespace and one `label=value` of their selector. */
  const byLabel = new Map<string, Map<string, Service>>();

  function file(service: Service, present: boolean): void {
    const [first] = Object.entries(service.spec.selector ?? {});
    if (!first) return;
    const key = labelKey(service.metadata.namespace, first);
    const members = byLabel.get(key) ?? new Map<string, Service>();
    if (present) members.set(service.metadata.name, service);
    else members.delete(service.metadata.name);
    if (members.size > 0) byLabel.set(key, members);
    else byLabel.delete(key);
  }

  function note(change: Change): void {
    if (change.resource !== 'services') return;
    const { object, previous, type } = change as Change<Service>;
    if (previous) file(previous, false);
    if (type !== 'DELETED') file(object, true);
    onChange(object.metadata.namespace ?? '');
  }

  for (const service of store.list<Service>('services')) file(service, true);
  const unsubscribe = store.subscribe(note);

  return {
    portsOf(pod) {
      const services = Object.entries(pod.metadata.labels ?? {}).flatMap((label) => [
        ...(byLabel.get(labelKey(pod.metadata.namespace, label))?.values() ?? []),
      ]);
      return services
        .filter((service) => matchesServiceSelector(service.spec.selector, pod.metadata.labels))
        .flatMap(targetPorts);
    },
    stop: unsubscribe,
  };
}

function labelKey(namespace: string | undefined, [name, value]: [string, string]): string {
  return `${namespace ?? ''}/${name}=${value}`;
}

function targetPorts(service: Service): GuessedPort[] {
  return (service.spec.ports ?? []).flatMap(({ port, targetPort = port, protocol = 'TCP' }) =>
    typeof targetPort === 'number' && protocol !== 'SCTP' ? [{ port: targetPort, protocol }] : [],
  );
}
