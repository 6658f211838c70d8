import type { DiagnosticRule } from './types.ts';

/** FW15xx: the controllers of the local cluster. */
export const clusterRules = {
  FW1501: {
    severity: 'info',
    title: 'A Namespace that objects use and nobody defines was created',
    hint: 'A cluster would refuse the objects: add the Namespace to the manifests, or create it before applying them.',
  },
  FW1502: {
    severity: 'warning',
    title: 'A Service asks for a cluster address that it cannot have',
    hint: 'Remove spec.clusterIP to have an address assigned, or choose a free one of the Service range.',
  },
  FW1503: {
    severity: 'warning',
    title: 'A Service asks for a node port that it cannot have',
    hint: 'Remove the nodePort to have one assigned, or choose a free one of the node port range.',
  },
  FW1504: {
    severity: 'warning',
    title: 'A Service asks for a load balancer address that it cannot have',
    hint: 'Remove spec.loadBalancerIP to have an address assigned, or choose a free one of the load balancer range.',
  },
  FW1505: {
    severity: 'info',
    title: 'A load balancer class of another implementation was adopted',
    hint: 'Nothing to do: no other load balancer runs here. In a cluster, the named one would serve the Service.',
  },
  FW1506: {
    severity: 'info',
    title: 'A CronJob is stored but never runs',
    hint: 'Nothing to do: the local cluster serves traffic and keeps no schedules. Create a Job to run it once.',
  },
  FW1507: {
    severity: 'error',
    title: 'A workload cannot make its Pods',
    hint: 'Mend the Pod template: its labels must match the selector, and the Pods it describes must be valid.',
  },
  FW1508: {
    severity: 'warning',
    title: 'The local cluster holds as many Pods as it may',
    hint: 'Lower the replicas: one echo Pod behaves like a hundred.',
  },
  FW1509: {
    severity: 'error',
    title: 'A controller could not write an object',
    hint: 'Look at the reason; the object stays as it is until it changes.',
  },
  FW1510: {
    severity: 'warning',
    title: 'A backend override does not fit the objects',
    hint: 'Check the namespace, name and port of --backend ns/service[:port]=host:port.',
  },
  FW1511: {
    severity: 'error',
    title: 'An address range is used up',
    hint: 'Delete objects that are no longer needed; each range holds about 65,000 addresses.',
  },
  FW1512: {
    severity: 'info',
    title: 'An object was removed because its owner does not exist',
    hint: 'Remove metadata.ownerReferences from objects that were exported from another cluster.',
  },
  FW1513: {
    severity: 'error',
    title: 'A Pod does not run',
    hint: 'Look at the reason: often a port that two containers of the Pod claim, or one that may not be bound.',
  },
  FW1514: {
    severity: 'warning',
    title: 'A hand-written endpoint is left out',
    hint: 'Write addresses as plain IPv4 or IPv6 text.',
  },
  FW1515: {
    severity: 'error',
    title: 'Pods wait for room: this process may not open as many sockets as there are ports',
    hint: 'Raise the limit of open files (ulimit -n) and start again, or run fewer Pods and Services: a port of either is a socket.',
  },
} as const satisfies Record<string, DiagnosticRule>;
