import type { DiagnosticRule } from './types.ts';

/** FW412x to FW416x: what `fairway lint` finds in a Corefile (docs/lint.md). */
export const corefileRules = {
  FW4120: {
    severity: 'error',
    title: 'The Corefile cannot be read',
    hint: 'Mend the place that is named; nothing behind it was looked at.',
  },
  FW4121: {
    severity: 'error',
    title: 'A Corefile names a plugin that does not exist',
    hint: 'Correct the name, or take the directive out.',
  },
  FW4122: {
    severity: 'error',
    title: 'A Corefile names a plugin that Fairway does not have',
    hint: 'Take the directive out, or leave this server block to CoreDNS.',
  },
  FW4123: {
    severity: 'error',
    title: 'A plugin of a Corefile cannot be set up as it is written',
    hint: "See the plugin's page in src/dns/plugins for what it takes.",
  },
  FW4124: {
    severity: 'info',
    title: 'An import of a Corefile finds no file',
    hint: 'Nothing to do when the files are optional; else correct the pattern.',
  },
  FW4130: {
    severity: 'error',
    title: 'A zone of a Corefile is served twice at one address',
    hint: 'Put both into one server block, or tell them apart by port, bind or view.',
  },
  FW4131: {
    severity: 'warning',
    title: 'A server block with a view can never get a query',
    hint: 'Put the block without a view last.',
  },
  FW4132: {
    severity: 'info',
    title: 'A Corefile has no server block for all other names (".")',
    hint: 'Add a block ". { forward . /etc/resolv.conf }" if Pods are to resolve other names here.',
  },
  FW4133: {
    severity: 'warning',
    title: "A plugin's zone lies outside its server block",
    hint: 'Add the zone to the keys of the block, or take it from the plugin.',
  },
  FW4134: {
    severity: 'warning',
    title: "A plugin's zone belongs to another server block",
    hint: 'Move the plugin into the block with the longer zone, or take that zone out there.',
  },
  FW4135: {
    severity: 'warning',
    title: 'A server block has no plugin that answers',
    hint: 'Add one: forward, kubernetes, hosts, file, template.',
  },
  FW4140: {
    severity: 'warning',
    title: 'A plugin of a Corefile can never get a query',
    hint: 'Give the plugin before it a fallthrough, or other zones.',
  },
  FW4141: {
    severity: 'warning',
    title: 'A template fails every name that it does not match',
    hint: 'Add fallthrough to the template, or give it the zone of the names that it is for.',
  },
  FW4142: {
    severity: 'info',
    title: 'Plugins of a Corefile run in another order than they are written',
    hint: 'Write them in the order in which they run; the order in the file changes nothing.',
  },
  FW4143: {
    severity: 'warning',
    title: 'Queries are forwarded to a resolver on the loopback address',
    hint: "Forward to the resolvers behind it: a file such as /run/systemd/resolve/resolv.conf, or the kubelet's --resolv-conf.",
  },
  FW4144: {
    severity: 'error',
    title: 'A server block forwards queries to itself',
    hint: 'Name other resolvers in forward.',
  },
  FW4150: {
    severity: 'warning',
    title: 'The option pods insecure answers for every address',
    hint: 'Use "pods verified" when Pods are asked for by such names, else "pods disabled".',
  },
  FW4151: {
    severity: 'warning',
    title: 'Reverse names outside the cluster are not forwarded',
    hint: 'Add "fallthrough in-addr.arpa ip6.arpa" to kubernetes.',
  },
  FW4152: {
    severity: 'info',
    title: 'Addresses of Services and Pods have no names',
    hint: 'Add in-addr.arpa and ip6.arpa to the zones of kubernetes, with fallthrough for both.',
  },
  FW4153: {
    severity: 'warning',
    title: 'The plugin autopath does nothing without verified Pods',
    hint: 'Set "pods verified" in kubernetes.',
  },
  FW4154: {
    severity: 'warning',
    title: 'Denials of cluster names live long',
    hint: 'Keep the ttl of kubernetes, and the TTL of denials in cache, at 30 seconds or less.',
  },
  FW4160: {
    severity: 'info',
    title: 'A plugin is missing that a cluster needs',
    hint: "Add the plugin that is named; kubeadm's Corefile has it.",
  },
  FW4161: {
    severity: 'warning',
    title: "A page is not where kubeadm's probes look for it",
    hint: 'Use health :8080, ready :8181 and prometheus :9153, or change the probes and annotations of the Deployment.',
  },
  FW4162: {
    severity: 'info',
    title: 'A stop can lose queries: health has no lameduck',
    hint: 'Add "lameduck 5s" to health.',
  },
} as const satisfies Record<string, DiagnosticRule>;
