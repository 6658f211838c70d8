import type { DiagnosticRule } from './types.ts';

/** FW2xxx: Ingress. */
export const ingressRules = {
  FW2001: {
    severity: 'info',
    title: "Ingresses of a class that is not Fairway's were adopted",
    hint: 'Nothing to do. In a cluster, only classes with the controller fairway.dev/ingress are served; --no-adopt does the same here.',
  },
  FW2002: {
    severity: 'info',
    title: 'Ingresses without a class were adopted',
    hint: 'Nothing to do here. In a cluster, set spec.ingressClassName or mark one IngressClass as the default.',
  },
  FW2003: {
    severity: 'warning',
    title: 'An Ingress names a class that does not exist',
    hint: 'Create the IngressClass, or set spec.ingressClassName to one that exists; until then no controller serves the Ingress.',
  },
  FW2004: {
    severity: 'warning',
    title: 'Several IngressClasses are marked as the default',
    hint: 'Keep the annotation ingressclass.kubernetes.io/is-default-class: "true" on one of them; the newest is used.',
  },
  FW2005: {
    severity: 'warning',
    title: 'Parameters of an IngressClass have no effect',
    hint: 'Fairway takes no parameters from IngressClasses: remove spec.parameters.',
  },
  FW2006: {
    severity: 'info',
    title: 'Ingresses name no class and there is no default class',
    hint: 'Set spec.ingressClassName, or mark one IngressClass as the default; until then no controller serves them.',
  },
  FW2010: {
    severity: 'error',
    title: 'A rule or path of an Ingress is invalid and was left out',
    hint: 'Mend the field named; the other rules and paths are served.',
  },
  FW2011: {
    severity: 'warning',
    title: 'A host and path are claimed twice',
    hint: 'Remove one of the two; the older Ingress keeps the path.',
  },
  FW2012: {
    severity: 'warning',
    title: 'The default backend is claimed twice',
    hint: 'Keep one defaultBackend for requests that no rule takes; the older Ingress has it.',
  },
  FW2013: {
    severity: 'warning',
    title: 'An Ingress serves nothing',
    hint: 'Add rules with paths, or a spec.defaultBackend.',
  },
  FW2014: {
    severity: 'warning',
    title: 'A path looks like a pattern but is matched as plain text',
    hint: 'pathType ImplementationSpecific means Prefix here, without wildcards or regular expressions: write the plain prefix.',
  },
  FW2015: {
    severity: 'error',
    title: 'A host is claimed by Ingresses of two dialects',
    hint: 'Use one class for all Ingresses of a host: the oldest decides whose rules hold there, and those of the other class are left out.',
  },
  FW2016: {
    severity: 'warning',
    title: 'Another name of a host belongs to somebody else',
    hint: 'Remove the name from server-alias, or from-to-www-redirect, of the Ingress named: the host that has it answers.',
  },
  FW2017: {
    severity: 'warning',
    title: 'A canary has no effect on a path',
    hint: 'A canary needs an Ingress that is none with the same host, path and pathType and another Service, and only the oldest canary of a path counts.',
  },
  FW2018: {
    severity: 'error',
    title: 'A path of ingress-nginx cannot be served; its requests get 503',
    hint: 'Mend what the message names. Patterns are RE2: they know no lookaround and no back-references. Other paths are not affected.',
  },
  FW2020: {
    severity: 'error',
    title: 'The Service of a backend does not exist',
    hint: 'Create the Service in the namespace of the Ingress, or mend the name; requests get 503 until then.',
  },
  FW2021: {
    severity: 'error',
    title: 'The Service of a backend has no such port',
    hint: 'Name a port of the Service (not of its Pods) by number or name under backend.service.port; requests get 503 until then.',
  },
  FW2022: {
    severity: 'error',
    title: 'A backend refers to something else than a Service',
    hint: 'Use backend.service: Fairway serves no resource backends; requests get 503.',
  },
  FW2023: {
    severity: 'error',
    title: 'A backend is incomplete or contradictory',
    hint: 'A backend names one Service, and one port of it by number or by name; requests get 503.',
  },
  FW2024: {
    severity: 'error',
    title: 'A backend is a Service of type ExternalName',
    hint: 'Point the path at a Service with endpoints in the cluster, or write an EndpointSlice for one without a selector; requests get 503.',
  },
  FW2026: {
    severity: 'error',
    title: 'The BackendTLSPolicy of a Service cannot be followed',
    hint: 'Mend what the message names; until then requests to the Service are answered with 503.',
  },
  FW2030: {
    severity: 'warning',
    title: 'A TLS section names no Secret',
    hint: 'Set secretName: there is no default certificate, so its hosts are not served over HTTPS by this section.',
  },
  FW2031: {
    severity: 'warning',
    title: 'The certificate of a host is claimed twice',
    hint: 'Name the same Secret in both Ingresses, or list the host in one of them only; the older Ingress decides.',
  },
  FW2040: {
    severity: 'warning',
    title: 'Annotations of another Ingress controller have no effect',
    hint: 'The Ingress is served by its spec alone. Check whether what the annotations asked for matters to you.',
  },
} as const satisfies Record<string, DiagnosticRule>;
