import type { DiagnosticRule } from './types.ts';

/** FW16xx: the controller in a cluster: its Kubernetes API, its addresses, its statuses. */
export const controllerRules = {
  FW1601: {
    severity: 'warning',
    title: 'The API server does not serve a kind',
    hint: 'Install the CustomResourceDefinition when you want the kind served: it is picked up within a minute. Everything else goes on without it.',
  },
  FW1602: {
    severity: 'error',
    title: 'The Kubernetes API does not answer',
    hint: 'Nothing to do for traffic: what was known last stays in force. Changes and statuses wait until the API is back.',
  },
  FW1603: {
    severity: 'error',
    title: 'A kind cannot be read',
    hint: 'Allow the service account to list and watch the kind, and to get Secrets and ConfigMaps: deploy/gateway.yaml has the rules that are needed.',
  },
  FW1604: {
    severity: 'error',
    title: 'Too many Secrets and ConfigMaps are referred to',
    hint: 'Those beyond the bound count as missing. Serve fewer of them with one deployment: several can share a cluster by --controller-name.',
  },
  FW1605: {
    severity: 'error',
    title: 'Ingresses are not served because Gateways have their ports',
    hint: 'Give Ingresses an address of their own with --ingress-listen, or move the listeners to other ports.',
  },
  FW1606: {
    severity: 'warning',
    title: 'No address is known that leads to the data plane',
    hint: 'Name addresses with --address, or a Service that has one with --publish-service.',
  },
  FW1607: {
    severity: 'error',
    title: 'The Lease for the leader cannot be taken',
    hint: 'Allow get, create and update on Leases in that namespace (deploy/gateway.yaml). Until then no status is written by this replica; traffic is served.',
  },
} as const satisfies Record<string, DiagnosticRule>;
