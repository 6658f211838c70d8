/** Rules of GRPCRoute, TLSRoute, TCPRoute and UDPRoute beyond those of all routes. */
import { golden, proven, type Rules, unkept } from './rule.ts';

export const grpcRules: Rules = {
  'GRPCRoute spec.hostnames': [
    { id: 'grpc-hostnames', says: 'As of HTTPRoutes: those within the listener count; none is not accepted' },
    {
      id: 'one-kind-at-a-hostname',
      says: 'Of an HTTPRoute and a GRPCRoute that share a hostname of a listener, the older alone is accepted',
      shown: unkept('Optional since v1.6 (api-types/grpcroute.md), though the field still says it: both are accepted'),
    },
    { id: 'grpc-and-http-on-one-hostname', says: 'Rules of GRPCRoutes and HTTPRoutes are not merged' },
  ],
  'GRPCRoute spec.rules.matches': [
    { id: 'grpc-without-matches-or-rules', says: 'No matches is every call' },
    { id: 'grpc-hostname-before-service', says: 'First: characters of the hostname, without wildcard before all' },
    { id: 'grpc-service-before-method', says: 'Then: characters of the service' },
    { id: 'grpc-method-before-headers', says: 'Then: characters of the method' },
    { id: 'grpc-more-headers-first', says: 'Then: more headers' },
    { id: 'grpc-older-route-first', says: 'Ties: the older route, the first by name, the first rule' },
    { id: 'grpc-match-precedence', says: 'The same across all routes, and for calls alone' },
    { id: 'grpc-match-ties', says: 'The same with rules of several routes' },
  ],
  'GRPCRoute spec.rules.matches.method': [
    { id: 'grpc-method-patterns', says: 'Exact with case; patterns as the implementation has them; empty is any' },
  ],
  'GRPCRoute spec.rules.filters': [
    { id: 'grpc-filters-and-values', says: 'What cannot be had is not skipped: its calls fail' },
  ],
  'GRPCRoute spec.rules.backendRefs': [
    { id: 'grpc-backends-that-cannot-be-had', says: 'UNAVAILABLE for all, or for the share of what is invalid' },
    { id: 'grpc-backend-protocols', says: 'appProtocol is honoured; what carries no calls is UnsupportedProtocol' },
    {
      id: 'grpc-unmatched-calls',
      says: 'Calls that no rule takes are UNIMPLEMENTED',
      shown: proven('test/features/grpc-routes.test.ts', 'another method is unimplemented'),
    },
  ],
};

export const streamRules: Rules = {
  'TLSRoute spec.hostnames': [
    {
      id: 'tls-route-by-the-longest-hostname',
      says: 'The most specific hostname, then the older route, then its name',
    },
    { id: 'tls-route-hostnames-meet', says: 'Those outside the listener are ignored; none within is not accepted' },
    {
      id: 'tls-route-at-another-listener',
      says: 'At a listener that is not of TLS: Accepted False, UnsupportedValue',
      shown: unkept(
        'The conformance suite asks for NotAllowedByListeners (TLSRouteInvalidNoMatchingListener), which is given',
      ),
    },
  ],
  'TLSRoute spec.rules.backendRefs': [
    { id: 'tls-routes', says: 'Passthrough and Terminate, beside HTTPS at one port' },
    {
      id: 'invalid-share-of-a-stream-is-refused',
      says: 'Connections of an invalid backend are refused, by its weight',
    },
    {
      id: 'tls-route-to-tls-backends',
      says: 'A BackendTLSPolicy encrypts again what was terminated',
      shown: golden('stream-backend-with-tls-policy'),
    },
  ],
  'TCPRoute spec.rules.backendRefs': [
    { id: 'first-stream-route-by-age-and-name', says: 'One route has a listener: the oldest, then the first by name' },
    { id: 'tcp-and-udp-routes', says: 'Backends by port and protocol of the Service; what is invalid is refused' },
    {
      id: 'tcp-shares',
      says: 'Connections are refused in the proportion of what is invalid',
      shown: proven(
        'src/proxy/stream/tcp.test.ts',
        'shares connections out exactly by weight, invalid shares being refused',
      ),
    },
    {
      id: 'tcp-without-endpoints',
      says: 'Connections to a Service without endpoints are refused',
      shown: proven(
        'src/proxy/stream/tcp.test.ts',
        'tries the next endpoint, refuses when none answers, and when there is none',
      ),
    },
  ],
  'UDPRoute spec.rules.backendRefs': [
    {
      id: 'udp-shares',
      says: 'Packets are dropped in the proportion of what is invalid',
      shown: proven('src/proxy/stream/udp.test.ts', 'what falls to an invalid share is dropped, every time'),
    },
  ],
};
