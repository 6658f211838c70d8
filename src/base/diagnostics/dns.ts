import type { DiagnosticRule } from './types.ts';

/** FW4xxx: cluster DNS; FW41xx: what Pods' resolvers are told. */
export const dnsRules = {
  FW4001: {
    severity: 'warning',
    title: 'ExternalName Services form a loop or a chain that is too long',
    hint: 'Point one Service of the chain at a name outside it; until then these names have no addresses.',
  },
  FW4002: {
    severity: 'warning',
    title: 'An ExternalName is not a host name',
    hint: 'Use a host name. For an IP address make a Service without selector and an EndpointSlice.',
  },
  FW4003: {
    severity: 'error',
    title: 'A DNS address could not be bound',
    hint: 'Stop what holds the port, choose another one, or allow this process to bind it.',
  },
  FW4004: {
    severity: 'warning',
    title: 'An upstream resolver is this DNS server itself and is left out',
    hint: 'Name a resolver outside the cluster; forwarding to ourselves would loop.',
  },
  FW4005: {
    severity: 'warning',
    title: 'There is no upstream resolver',
    hint: 'Names outside the cluster get SERVFAIL. Give a resolver, or mend the resolv.conf named.',
  },
  FW4006: {
    severity: 'warning',
    title: 'An upstream resolver is not an IP address',
    hint: 'Write an IP address, with :port ([address]:port for IPv6) if it is not 53.',
  },
  FW4007: {
    severity: 'warning',
    title: 'A public name cannot be served by DNS',
    hint: 'Use a host name, or "*." before one.',
  },
  FW4101: {
    severity: 'warning',
    title: 'The kubelet knows no cluster DNS address (MissingClusterDNS)',
    hint: "Set the kubelet's clusterDNS; until then such Pods use the node's resolv.conf and find no Service.",
  },
  FW4102: {
    severity: 'warning',
    title: 'The dnsPolicy ClusterFirst on the host network means Default',
    hint: 'Set dnsPolicy: ClusterFirstWithHostNet to have the Pod resolve Services.',
  },
  FW4103: {
    severity: 'warning',
    title: 'More than 3 nameservers; the rest are left out (DNSConfigForming)',
    hint: 'Shorten dnsConfig.nameservers or the resolv.conf of the node.',
  },
  FW4104: {
    severity: 'warning',
    title: 'The search list is too long; the rest is left out (DNSConfigForming)',
    hint: 'Shorten dnsConfig.searches or the search line of the node.',
  },
  FW4105: {
    severity: 'warning',
    title: 'Unknown dnsPolicy; ClusterFirst applies',
    hint: 'Use ClusterFirst, ClusterFirstWithHostNet, Default or None.',
  },
  FW4106: {
    severity: 'error',
    title: "The node's resolv.conf is malformed",
    hint: 'Give every nameserver line an address. The kubelet starts no Pod with this file.',
  },
  FW4107: {
    severity: 'warning',
    title: 'The Pod gets no nameserver',
    hint: 'Add dnsConfig.nameservers; resolvers otherwise ask 127.0.0.1 inside the Pod.',
  },
} as const satisfies Record<string, DiagnosticRule>;
