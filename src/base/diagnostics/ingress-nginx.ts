import type { DiagnosticRule } from './types.ts';

/** FW55xx: what annotations and the ConfigMap of ingress-nginx ask of the data plane (docs/ingress-nginx.md). */
export const ingressNginxRules = {
  FW5501: {
    severity: 'error',
    title: 'An annotation of ingress-nginx cannot be honoured that requests must not pass without; they get 503',
    hint: 'Mend what the message names: letting requests pass without it would be worse than refusing them. Other Ingresses are not affected.',
  },
  FW5502: {
    severity: 'error',
    title: 'An annotation of ingress-nginx cannot be honoured; its default holds',
    hint: 'Mend what the message names. The other annotations are in force.',
  },
  FW5503: {
    severity: 'warning',
    title: 'An annotation of ingress-nginx is not followed',
    hint: 'Use what the message names instead, or remove the annotation (docs/ingress-nginx.md).',
  },
  FW5504: {
    severity: 'info',
    title: 'An annotation of ingress-nginx has nothing that it could change',
    hint: 'Leave it for ingress-nginx, or remove it (docs/ingress-nginx.md).',
  },
  FW5505: {
    severity: 'warning',
    title: 'An annotation of ingress-nginx is not known',
    hint: 'Look its name up in docs/ingress-nginx.md, or remove it; ingress-nginx takes no notice of it either.',
  },
  FW5506: {
    severity: 'warning',
    title: 'An annotation of ingress-nginx means nothing without another one',
    hint: 'Add the one that the message names, or remove this one.',
  },
  FW5507: {
    severity: 'info',
    title: 'An annotation of ingress-nginx is followed, with a difference; told by `fairway lint` only',
    hint: 'Nothing, where the difference is none that matters to you (docs/ingress-nginx.md).',
  },
  FW5508: {
    severity: 'warning',
    title: 'Certificates of clients are asked for over TLS only, and requests come in without TLS',
    hint: 'Send them to HTTPS by force-ssl-redirect, or take the host out of plain HTTP.',
  },
  FW5511: {
    severity: 'error',
    title: 'What the ConfigMap of ingress-nginx says to protect everything cannot be honoured',
    hint: 'Every location of that class answers 503 until the key is mended or taken out.',
  },
  FW5512: {
    severity: 'warning',
    title: 'A key of the ConfigMap of ingress-nginx has a value that is none',
    hint: 'The default holds. docs/ingress-nginx.md lists the keys and their values.',
  },
  FW5513: {
    severity: 'warning',
    title: 'A key of the ConfigMap of ingress-nginx is not followed',
    hint: 'docs/ingress-nginx.md says what to use instead.',
  },
  FW5514: {
    severity: 'info',
    title: 'A key of the ConfigMap of ingress-nginx has nothing to change',
    hint: 'It is about processes and files of nginx, or is set elsewhere: docs/ingress-nginx.md.',
  },
  FW5515: {
    severity: 'warning',
    title: 'The ConfigMap of ingress-nginx has a key that ingress-nginx does not know',
    hint: 'Correct the spelling.',
  },
  FW5516: {
    severity: 'warning',
    title: 'The ConfigMap of ingress-nginx lets every client say where it comes from',
    hint: 'Set proxy-real-ip-cidr to the addresses of the proxies in front.',
  },
  FW5517: {
    severity: 'error',
    title: 'What the ConfigMap of ingress-nginx says is not known',
    hint: 'It may protect all locations, so they answer 503 until it is read: create it, let it be read (get, list and watch), or name another by --configmap.',
  },
} as const satisfies Record<string, DiagnosticRule>;
