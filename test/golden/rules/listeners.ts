/** Rules of listeners, be they of Gateways or of ListenerSets. */
import { golden, proven, type Rules, refused } from './rule.ts';

export const listenerRules: Rules = {
  'Gateway spec.listeners': [
    { id: 'distinct-listeners', says: 'Told apart by port, protocol and, for HTTP, HTTPS and TLS, hostname' },
    { id: 'same-port-and-hostname-conflict', says: 'One protocol, port and hostname: all such are Conflicted' },
    { id: 'tls-settings-tell-nothing-apart', says: 'Listeners that differ in tls alone are Conflicted' },
    { id: 'tcp-excludes-others-from-its-port', says: 'Nothing shares its port with TCP; none of them is accepted' },
    { id: 'protocols-conflict-on-one-port', says: 'Protocols that cannot share a port: ProtocolConflict' },
    { id: 'no-conflicted-listener-wins', says: 'None of several indistinct listeners is picked' },
    { id: 'conflicted-listeners-alone-reject-the-gateway', says: 'Without a distinct listener, no Gateway' },
    {
      id: 'listeners-not-valid-names-them',
      says: 'ListenersNotValid is set, accepted or not, and the message names the listeners',
      shown: golden('conflicts'),
    },
    { id: 'most-specific-listener-first', says: 'Exact, then wildcards by their dots, then no hostname' },
    {
      id: 'one-listener-for-a-request',
      says: 'A request is for the routes of its listener alone (listener isolation)',
      shown: golden('listener-isolation'),
    },
    {
      id: 'isolation-with-hostnames-of-routes',
      says: 'The same for routes whose hostnames reach into other listeners',
      shown: golden('listener-isolation-with-route-hostnames'),
    },
    {
      id: 'listener-isolation-by-protocol',
      says: 'Names are kept from listeners that share the port by hostname; what has lost the port keeps none',
    },
    {
      id: 'isolation-of-listeners-without-routes',
      says: 'The same for a listener that has no route',
      shown: golden('listener-without-routes-answers-404'),
    },
    { id: 'no-listener-answers-404', says: 'What is for no listener is refused with 404' },
    {
      id: 'no-listener-is-unimplemented',
      says: 'What is for no listener is refused with Unimplemented, of gRPC',
      shown: proven('test/features/grpc-routes.test.ts', 'another host is unimplemented'),
    },
    {
      id: 'listener-names-are-unique',
      says: 'A name stands once in a Gateway',
      shown: refused('Listener name must be unique within the Gateway'),
    },
    {
      id: 'listeners-are-unique',
      says: 'Port, protocol and hostname stand together once in a Gateway',
      shown: refused('Combination of port, protocol and hostname must be unique for each listener'),
    },
    {
      id: 'gateways-do-not-share-addresses-and-ports',
      says: 'Gateways may share an address where their listeners are compatible; ours are where their ports differ',
      shown: golden('port-unavailable'),
    },
  ],
  'Gateway spec.listeners.hostname': [
    {
      id: 'host-of-another-listener-is-misdirected',
      says: 'Over TLS, 421 for the Host of a more specific or another listener, 404 for that of none',
      shown: proven(
        'test/features/backend-tls.test.ts',
        'answers 421 to a host of another listener, and 404 to a host of none',
      ),
    },
    {
      id: 'sni-chooses-the-tls-listener',
      says: 'The hostname of a TLS listener matches the server name',
      shown: proven(
        'src/proxy/stream/tls.test.ts',
        'passes the handshake through to the backend of the most specific name',
      ),
    },
    {
      id: 'hostname-for-protocols-that-have-one',
      says: 'TCP and UDP listeners have none',
      shown: refused("hostname must not be specified for protocols ['TCP', 'UDP']"),
    },
  ],
  'Gateway spec.listeners.protocol': [
    {
      id: 'unsupported-protocol',
      says: 'A protocol that is not served: Accepted False, UnsupportedProtocol',
      shown: golden('protocols-and-kinds-not-served'),
    },
  ],
  'Gateway spec.listeners.tls': [
    {
      id: 'longest-server-name-first',
      says: 'The longest server name of all certificates counts',
      shown: golden('tls'),
    },
    {
      id: 'https-terminates',
      says: 'HTTPS terminates TLS',
      shown: refused('tls mode must be Terminate for protocol HTTPS'),
    },
    {
      id: 'tls-where-the-protocol-has-it',
      says: 'Not beside HTTP, TCP and UDP',
      shown: refused("tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']"),
    },
  ],
  'Gateway spec.listeners.tls.certificateRefs': [
    {
      id: 'certificate-refs',
      says: 'In another namespace without a grant: RefNotPermitted; missing, malformed or of a kind unknown: InvalidCertificateRef',
      shown: golden('tls-invalid'),
    },
    {
      id: 'certificates-for-terminate',
      says: 'Terminate has certificates or options',
      shown: refused('certificateRefs or options must be specified when mode is Terminate'),
    },
  ],
  'Gateway spec.listeners.tls.options': [
    { id: 'tls-options', says: 'Options of ours have a domain prefix; those unknown are told, and change nothing' },
  ],
  'Gateway spec.listeners.allowedRoutes': [
    {
      id: 'one-rule-for-a-request',
      says: 'One rule has a request: by match, then the oldest route, then the first by namespace and name',
      shown: golden('match-ties'),
    },
    {
      id: 'rules-fail-one-by-one',
      says: 'An invalid rule is dropped, the valid ones of its route are served',
      shown: golden('unserved-filters'),
    },
  ],
  'Gateway spec.listeners.allowedRoutes.kinds': [
    {
      id: 'invalid-route-kinds',
      says: 'Kinds that the protocol does not carry: ResolvedRefs False, InvalidRouteKinds',
      shown: golden('allowed-routes-kinds'),
    },
    {
      id: 'kinds-by-protocol',
      says: 'Without kinds, those that the protocol carries',
      shown: golden('grpc-allowed-routes-kinds'),
    },
  ],
  'Gateway spec.listeners.allowedRoutes.namespaces': [
    { id: 'allowed-routes-namespaces', says: 'Same by default; All; Selector by labels of namespaces' },
    { id: 'selector-counts-with-from-selector-only', says: 'selector counts with from: Selector only' },
  ],
};

export const listenerSetRules: Rules = {
  'ListenerSet spec.listeners': [
    {
      id: 'listener-sets-precedence',
      says: 'The Gateway first, then sets by age, then by namespace and name: the later listener is Conflicted',
    },
    {
      id: 'set-names-are-its-own',
      says: 'Names need not differ from those of the Gateway or other sets',
      shown: golden('listener-sets-precedence'),
    },
    {
      id: 'sets-tell-nothing-of-others',
      says: 'A conflict does not show what the set may not see of others',
      shown: golden('listener-sets-precedence'),
    },
    {
      id: 'set-names-are-unique',
      says: 'A name stands once in a set',
      shown: refused('Listener name must be unique within the Gateway'),
    },
  ],
  'ListenerSet spec.listeners.tls': [
    {
      id: 'listener-sets-tls',
      says: 'Grants for a Gateway are not for its sets, nor the other way round; own Secrets need none',
    },
  ],
  'ListenerSet spec.listeners.allowedRoutes': [
    {
      id: 'listener-sets-routes',
      says: 'Routes attach to a set or to its Gateway, never to one through the other; sectionName is of the set',
    },
  ],
  'ListenerSet spec.parentRef': [
    {
      id: 'set-is-not-allowed',
      says: 'A set that allowedListeners does not select: Accepted False, NotAllowed',
      shown: golden('listener-sets-allowed-listeners'),
    },
  ],
  'ListenerSet status.conditions': [
    {
      id: 'listener-sets-programmed',
      says: 'ParentNotAccepted, ParentNotProgrammed, ListenersNotValid, Invalid, PortUnavailable, Pending',
    },
  ],
};
