import type { DiagnosticRule } from './types.ts';

/** FW5xxx: the data plane: listeners, binding, traffic. */
export const dataplaneRules = {
  FW5001: {
    severity: 'warning',
    title: 'Low ports could not be bound and moved up',
    hint: 'Run as root, give node CAP_NET_BIND_SERVICE, or set sysctl net.ipv4.ip_unprivileged_port_start=0 to have the real ports.',
  },
  FW5002: {
    severity: 'warning',
    title: 'Only 127.0.0.1 can be bound; addresses became ports',
    hint: 'Add the addresses as aliases of the loopback interface, or use the addresses and ports of the ready table.',
  },
  FW5003: {
    severity: 'error',
    title: 'No port is left to stand for an address of the cluster',
    hint: 'Load fewer Services and Pods, or run on a system that has all of 127.0.0.0/8.',
  },
  FW5005: {
    severity: 'warning',
    title: 'The Kubernetes API listens on another port than wanted',
    hint: 'Use the address shown, which .fairway/kubeconfig holds as well; or end what listens there, or choose --api-port.',
  },
  FW5006: {
    severity: 'error',
    title: 'The metrics page could not be opened',
    hint: 'End what listens there, or choose another address and port for --metrics.',
  },
  FW5007: {
    severity: 'error',
    title: 'The access log could not be opened or written; lines are lost',
    hint: 'Choose a file in a folder that can be written to for --access-log, or make room on its disk.',
  },
  FW5008: {
    severity: 'warning',
    title: 'Spans could not be exported and were dropped',
    hint: 'See that the collector of --otlp runs, takes OTLP over HTTP with JSON, and lets this process in.',
  },
  FW5009: {
    severity: 'error',
    title: 'The file of --data-plane could not be read',
    hint: 'Give a file with one document of YAML or JSON, as docs/data-plane.md shows it.',
  },
  FW5010: {
    severity: 'error',
    title: 'An option of the data plane is not what it may be; its default holds',
    hint: 'Write what the message asks for and start again; docs/data-plane.md lists options and defaults.',
  },
  FW5101: {
    severity: 'error',
    title: 'An address and port of a Service could not be opened',
    hint: 'Stop what holds the port, or change the Service; it is tried again every few seconds.',
  },
  FW5102: {
    severity: 'warning',
    title: 'A NodePort could not be opened on 127.0.0.1',
    hint: 'Use the NodePort on the address of the node, or stop what holds the port on 127.0.0.1.',
  },
  FW5103: {
    severity: 'error',
    title: 'Two Services claim the same address and port',
    hint: 'Give one of them another address or port; the first one keeps it until then.',
  },
  FW5104: {
    severity: 'info',
    title: 'A port or address of a Service is not served on loopback',
    hint: 'Reach it by its Pods, or give the Service TCP or UDP ports and addresses in 127.0.0.0/8.',
  },
  FW5105: {
    severity: 'warning',
    title: 'Connections or datagrams to Services were refused because a limit was reached',
    hint: 'Find the client that opens so many, or raise the limit.',
  },
  FW5201: {
    severity: 'error',
    title: 'A listener could not be bound',
    hint: 'Stop what holds the address and port, or change the listener; it is tried again with the next plan.',
  },
  FW5202: {
    severity: 'error',
    title: 'A certificate could not be used; handshakes for its names are refused',
    hint: 'Give the Secret a PEM chain with the leaf first, and the private key that belongs to it.',
  },
  FW5204: {
    severity: 'warning',
    title: 'A part of a filter cannot be applied and is left out',
    hint: 'Change the header name, value or host named; headers that frame a message belong to the data plane.',
  },
  FW5205: {
    severity: 'error',
    title: 'An entry of the trusted proxies is neither an address nor a CIDR, and trusts nobody',
    hint: 'Write 10.0.0.0/8, 10.0.0.1, fd00::/8 or fd00::1.',
  },
  FW5206: {
    severity: 'error',
    title: 'TLS to a backend cannot be set up; its requests get 502',
    hint: 'Mend the CA bundle or the client certificate that the message names.',
  },
  FW5220: {
    severity: 'warning',
    title: 'Copies of requests for a mirror were given up',
    hint: 'Look at the mirror: the original requests are not affected, but it does not see all it should.',
  },
  FW5221: {
    severity: 'error',
    title: 'A filter that guards a route cannot be applied; its requests are answered with an error',
    hint: 'Mend what the message names: letting requests pass without the filter would be worse than refusing them.',
  },
  FW5230: {
    severity: 'warning',
    title: 'A worker process of the data plane ended; its connections are lost, and another takes its place',
    hint: 'Look at what it wrote to standard error. SIGKILL may be the kernel’s, for want of memory.',
  },
} as const satisfies Record<string, DiagnosticRule>;
