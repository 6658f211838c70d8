/** Names of the Gateway API: groups, resources, and which kinds and protocols this version serves. */
import type { ResourceName } from '../../kube/resources.ts';

export const gatewayGroup = 'gateway.networking.k8s.io';
export const gatewayApiVersion = `${gatewayGroup}/v1`;

export const resources = {
  gatewayClass: `gatewayclasses.${gatewayGroup}`,
  gateway: `gateways.${gatewayGroup}`,
  listenerSet: `listenersets.${gatewayGroup}`,
  referenceGrant: `referencegrants.${gatewayGroup}`,
  backendTlsPolicy: `backendtlspolicies.${gatewayGroup}`,
} as const satisfies Record<string, ResourceName>;

export type RouteKind = 'HTTPRoute' | 'GRPCRoute' | 'TLSRoute' | 'TCPRoute' | 'UDPRoute';

/** Every kind of route that attaches to Gateways. */
export const routeResources: Readonly<Record<RouteKind, ResourceName>> = {
  HTTPRoute: `httproutes.${gatewayGroup}`,
  GRPCRoute: `grpcroutes.${gatewayGroup}`,
  TLSRoute: `tlsroutes.${gatewayGroup}`,
  TCPRoute: `tcproutes.${gatewayGroup}`,
  UDPRoute: `udproutes.${gatewayGroup}`,
};

export const routeKinds = Object.keys(routeResources) as readonly RouteKind[];

export interface ServedProtocol {
  readonly protocol: 'HTTP' | 'HTTPS' | 'TLS' | 'TCP' | 'UDP';
  /** Kinds of routes that a listener of the protocol carries. */
  readonly kinds: readonly RouteKind[];
}

/** By Gateway listener protocol. A protocol that is not here gets Accepted=False, UnsupportedProtocol. */
export const servedProtocols: ReadonlyMap<string, ServedProtocol> = new Map([
  ['HTTP', { protocol: 'HTTP', kinds: ['HTTPRoute', 'GRPCRoute'] }],
  ['HTTPS', { protocol: 'HTTPS', kinds: ['HTTPRoute', 'GRPCRoute'] }],
  ['TLS', { protocol: 'TLS', kinds: ['TLSRoute'] }],
  ['TCP', { protocol: 'TCP', kinds: ['TCPRoute'] }],
  ['UDP', { protocol: 'UDP', kinds: ['UDPRoute'] }],
]);

/** Features of the conformance suite that work end to end; ascending, as GatewayClass.status.supportedFeatures wants. */
export const supportedFeatures: readonly string[] = [
  'BackendTLSPolicy',
  'BackendTLSPolicySANValidation',
  'GRPCRoute',
  'GRPCRouteNamedRouteRule',
  'Gateway',
  'GatewayAddressEmpty',
  'GatewayBackendClientCertificate',
  'GatewayFrontendClientCertificateValidation',
  'GatewayFrontendClientCertificateValidationInsecureFallback',
  'GatewayHTTPListenerIsolation',
  'GatewayHTTPSListenerDetectMisdirectedRequests',
  'GatewayInfrastructurePropagation',
  'GatewayPort8080',
  'GatewayStaticAddresses',
  'HTTPRoute',
  'HTTPRoute303RedirectStatusCode',
  'HTTPRoute307RedirectStatusCode',
  'HTTPRoute308RedirectStatusCode',
  'HTTPRouteBackendProtocolH2C',
  'HTTPRouteBackendProtocolWebSocket',
  'HTTPRouteBackendRequestHeaderModification',
  'HTTPRouteBackendTimeout',
  'HTTPRouteCORS',
  'HTTPRouteDestinationPortMatching',
  'HTTPRouteHostRewrite',
  'HTTPRouteMethodMatching',
  'HTTPRouteNamedRouteRule',
  'HTTPRouteParentRefPort',
  'HTTPRoutePathRedirect',
  'HTTPRoutePathRewrite',
  'HTTPRoutePortRedirect',
  'HTTPRouteQueryParamMatching',
  'HTTPRouteRequestMirror',
  'HTTPRouteRequestMultipleMirrors',
  'HTTPRouteRequestPercentageMirror',
  'HTTPRouteRequestTimeout',
  'HTTPRouteResponseHeaderModification',
  'HTTPRouteRetry',
  'HTTPRouteRetryBackendTimeout',
  'HTTPRouteRetryConnectionError',
  'HTTPRouteSchemeRedirect',
  'ListenerSet',
  'ReferenceGrant',
  'TCPRoute',
  'TLSRoute',
  'TLSRouteModeMixed',
  'TLSRouteModeTerminate',
  'UDPRoute',
];
