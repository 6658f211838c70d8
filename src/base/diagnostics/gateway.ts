import type { DiagnosticRule } from './types.ts';

/** FW3xxx: Gateway API. 0xx classes and Gateways, 1xx listeners, 2xx attachment of routes, 3xx rules, 4xx references. */
export const gatewayRules = {
  FW3001: {
    severity: 'info',
    title: 'A GatewayClass of another controller, or one that no object defines, was adopted',
    hint: 'Nothing to do. Start with --no-adopt to have such classes left alone, as in a cluster.',
  },
  FW3002: {
    severity: 'error',
    title: 'A parametersRef cannot be honoured',
    hint: 'Remove parametersRef: Fairway reads no parameters objects.',
  },
  FW3003: {
    severity: 'error',
    title: 'A Gateway asks for an address of a type that is not supported',
    hint: 'Ask for an address of type IPAddress, or leave spec.addresses out to be given one.',
  },
  FW3004: {
    severity: 'error',
    title: 'A Gateway asks for an address that it cannot use',
    hint: 'Ask for an address that this front door owns, or leave the value out to be given one.',
  },
  FW3005: {
    severity: 'warning',
    title: 'A field of a Gateway is not served by this version',
    hint: 'Remove the field, or do not rely on it.',
  },
  FW3006: {
    severity: 'warning',
    title: 'An object of somebody else has the name of one that would be generated for a Gateway',
    hint: 'Rename or delete that object, or rename the Gateway. Until then the Gateway is reached by its address only.',
  },
  FW3101: {
    severity: 'error',
    title: 'A listener has a protocol that is not served',
    hint: 'Use protocol HTTP, HTTPS, TLS, TCP or UDP.',
  },
  FW3102: {
    severity: 'error',
    title: 'Listeners of a Gateway conflict',
    hint: 'Listeners of one port must share their protocol and differ in their hostname.',
  },
  FW3103: {
    severity: 'error',
    title: 'A listener allows kinds of routes that it cannot carry',
    hint: 'Remove the kinds named from allowedRoutes.kinds.',
  },
  FW3104: {
    severity: 'error',
    title: 'A certificate of a listener cannot be used',
    hint: 'Point certificateRefs to a Secret of type kubernetes.io/tls with the keys tls.crt and tls.key.',
  },
  FW3105: {
    severity: 'error',
    title: 'A listener refers to a certificate in another namespace that does not permit it',
    hint: 'Add a ReferenceGrant to the namespace of the Secret.',
  },
  FW3106: {
    severity: 'error',
    title: 'The port of a listener is taken',
    hint: 'Use another port, or give the Gateway an address of its own: of two that ask for one, the older keeps it.',
  },
  FW3107: {
    severity: 'error',
    title: 'A listener asks for something that is not served',
    hint: 'Remove the field named; until then the listener stays closed.',
  },
  FW3108: {
    severity: 'error',
    title: 'A ListenerSet is not admitted by its Gateway',
    hint: 'Admit its namespace in spec.allowedListeners.namespaces of the Gateway, or move its listeners into the Gateway.',
  },
  FW3109: {
    severity: 'error',
    title: 'CA certificates that clients of a listener are to be validated with cannot be used',
    hint: 'Point caCertificateRefs to ConfigMaps with a PEM bundle under the key ca.crt.',
  },
  FW3110: {
    severity: 'warning',
    title: 'Clients without a valid certificate are let in',
    hint: 'Set the mode of the validation to AllowValidOnly, unless every backend checks its clients by itself.',
  },
  FW3111: {
    severity: 'warning',
    title: 'A ListenerSet names a Gateway that does not exist',
    hint: 'Create the Gateway, or correct spec.parentRef.',
  },
  FW3201: {
    severity: 'warning',
    title: 'A route names a Gateway that does not exist',
    hint: 'Create the Gateway, or correct the name and namespace in parentRefs.',
  },
  FW3202: {
    severity: 'error',
    title: 'A route names a listener that its Gateway does not have',
    hint: 'Correct sectionName and port in parentRefs.',
  },
  FW3203: {
    severity: 'error',
    title: 'No listener allows a route',
    hint: 'Widen allowedRoutes of the listener, or move the route.',
  },
  FW3204: {
    severity: 'error',
    title: 'The hostnames of a route fit no listener',
    hint: 'Use hostnames within those of a listener, or widen the hostname of the listener.',
  },
  FW3206: {
    severity: 'info',
    title: 'A route has a parent that is no Gateway',
    hint: 'Nothing to do if another controller serves that parent.',
  },
  FW3207: {
    severity: 'warning',
    title: 'A route names no Gateway',
    hint: 'Add the Gateway that should serve it to spec.parentRefs; until then nothing does.',
  },
  FW3301: {
    severity: 'error',
    title: 'A rule of a route has a value that is not supported',
    hint: 'Give the field named a value that the API allows; until then requests for the rule are answered with 500.',
  },
  FW3302: {
    severity: 'error',
    title: 'A filter is not served by this version',
    hint: 'Remove the filter; until then requests for the rule are answered with 500, since a filter must not be skipped.',
  },
  FW3303: {
    severity: 'error',
    title: 'Filters of a rule exclude each other',
    hint: 'Keep one of them; until then requests for the rule are answered with 500.',
  },
  FW3304: {
    severity: 'warning',
    title: 'A field of a route is not served by this version',
    hint: 'Do not rely on it; the rest of the rule is in force.',
  },
  FW3305: {
    severity: 'warning',
    title: 'A rule sends its requests nowhere',
    hint: 'Add a backendRef with a weight above zero, or a RequestRedirect filter; until then its requests are answered with an error.',
  },
  FW3401: {
    severity: 'error',
    title: 'A backend does not exist',
    hint: 'Create the Service, or correct the name and port in backendRefs.',
  },
  FW3402: {
    severity: 'error',
    title: 'A backend in another namespace is not permitted',
    hint: 'Add a ReferenceGrant to the namespace of the Service.',
  },
  FW3403: {
    severity: 'error',
    title: 'A backend is of a kind that is not supported',
    hint: 'Refer to a Service, or to an XBackend of the group gateway.networking.x-k8s.io.',
  },
  FW3404: {
    severity: 'error',
    title: 'A backend speaks a protocol that is not supported',
    hint: 'Serve HTTP on that port and set its appProtocol to http, https, kubernetes.io/h2c, grpc, h2, kubernetes.io/ws or kubernetes.io/wss, or leave it out; until then requests to the backend are answered with an error.',
  },
  FW3405: {
    severity: 'error',
    title: 'A Service of type ExternalName is no backend',
    hint: 'Use a Service with a selector or with EndpointSlices of its own: names outside the cluster are not safe to forward to (CVE-2021-25740).',
  },
  FW3407: {
    severity: 'error',
    title: 'A BackendTLSPolicy cannot be followed',
    hint: 'Mend what the message names. Until then requests to the backend are answered with an error and connections refused, since sending them in plain text or unverified would break the policy.',
  },
  FW3408: {
    severity: 'warning',
    title: 'A BackendTLSPolicy is not in force, because an older one has the same target',
    hint: 'Remove one of them, or name different ports of the Service by sectionName.',
  },
  FW3409: {
    severity: 'warning',
    title: 'TLS to a backend is not verified',
    hint: 'Add a BackendTLSPolicy for the Service with the authority to trust and the name its certificate is for.',
  },
  FW3410: {
    severity: 'error',
    title: 'The client certificate of a Gateway for its backends cannot be used',
    hint: 'Point spec.tls.backend.clientCertificateRef to a Secret of type kubernetes.io/tls; until then no client certificate is shown.',
  },
  FW3411: {
    severity: 'warning',
    title: 'A BackendTLSPolicy names a Service or port that does not exist',
    hint: 'Correct name and sectionName in spec.targetRefs; sectionName is the name of a port of the Service.',
  },
  FW3412: {
    severity: 'warning',
    title: 'An option of a BackendTLSPolicy is not known',
    hint: 'Remove the option: no implementation-specific options are read here.',
  },
  FW3413: {
    severity: 'warning',
    title: 'An XBackendTrafficPolicy is not in force',
    hint: 'Mend what the message names; until then its Services are used as if it were not there.',
  },
  FW3414: {
    severity: 'warning',
    title: 'An XBackendTrafficPolicy names a target that does not exist',
    hint: 'Correct kind and name in spec.targetRefs: they are Services and XBackends of the namespace of the policy.',
  },
  FW3415: {
    severity: 'error',
    title: 'An XBackend cannot be used',
    hint: 'Mend the XBackend; until then requests to it are answered with an error.',
  },
  FW3416: {
    severity: 'warning',
    title: 'What is sent out of the cluster is not encrypted',
    hint: 'Set spec.tls of the XBackend: mode ServerOnly, and in validation the name and the authorities to trust.',
  },
  FW3417: {
    severity: 'warning',
    title: 'The name of an XBackend leads nowhere',
    hint: 'Correct the name, or its records in DNS; addresses of the machine itself and link-local ones are never used.',
  },
} as const satisfies Record<string, DiagnosticRule>;
