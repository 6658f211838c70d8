import type { DiagnosticRule } from './types.ts';

/** FW6xxx: certificates and Secrets that hold them. */
export const certificateRules = {
  FW6001: {
    severity: 'error',
    title: 'A Secret with a certificate does not exist',
    hint: 'Create the Secret in the namespace shown (kubectl create secret tls NAME --cert=FILE --key=FILE), or mend the reference.',
  },
  FW6002: {
    severity: 'error',
    title: 'A Secret does not hold a certificate and its key',
    hint: 'A TLS Secret has the keys tls.crt (the certificate, then its intermediates) and tls.key, both PEM in base64.',
  },
  FW6003: {
    severity: 'error',
    title: 'A certificate cannot be read',
    hint: 'tls.crt holds PEM blocks ("-----BEGIN CERTIFICATE-----"), base64-encoded once more in the Secret.',
  },
  FW6004: {
    severity: 'error',
    title: 'A private key cannot be read',
    hint: 'tls.key holds one PEM private key (PKCS #8, PKCS #1 or SEC 1) without a passphrase, base64-encoded once more in the Secret.',
  },
  FW6005: {
    severity: 'error',
    title: 'A private key does not belong to its certificate',
    hint: 'Put the key that the certificate was issued for into tls.key, and the certificate itself first into tls.crt.',
  },
  FW6006: {
    severity: 'warning',
    title: 'A certificate has expired',
    hint: 'Renew it: clients refuse it. It is still served, since the connection would fail either way.',
  },
  FW6007: {
    severity: 'warning',
    title: 'A certificate is not valid yet',
    hint: 'Check the clocks of the issuer and of this machine: clients refuse the certificate until then.',
  },
  FW6008: {
    severity: 'warning',
    title: 'A certificate chain is not in order',
    hint: 'tls.crt begins with the certificate itself, followed by each issuer in turn. It is served in that order.',
  },
  FW6009: {
    severity: 'warning',
    title: 'A certificate does not cover a host that it is used for',
    hint: 'Have the host added to the subject alternative names of the certificate, or name another Secret.',
  },
  FW6010: {
    severity: 'warning',
    title: 'A Secret with a certificate has another type than kubernetes.io/tls',
    hint: 'Set type: kubernetes.io/tls; other programs look for it and the API server then checks the keys.',
  },
  FW6011: {
    severity: 'warning',
    title: 'A certificate names its hosts in the common name only',
    hint: 'Have it issued with subject alternative names: browsers and Go programs do not look at the common name.',
  },
} as const satisfies Record<string, DiagnosticRule>;
