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
  FW6020: {
    severity: 'error',
    title: 'An ACME issuer cannot be used',
    hint: 'Mend the field in the ConfigMap of issuers; docs/certificates.md lists all of them. Other issuers work on.',
  },
  FW6021: {
    severity: 'info',
    title: 'A certificate is asked of an issuer that is none of ours',
    hint: 'Nothing to do where cert-manager runs and has this issuer; else add it to the ConfigMap of issuers.',
  },
  FW6022: {
    severity: 'error',
    title: 'A certificate could not be obtained',
    hint: 'The message says why and when it is tried again; a change of the hosts or of the issuer tries again at once.',
  },
  FW6023: {
    severity: 'info',
    title: 'A certificate is being obtained',
    hint: 'Nothing to do: hosts are served with it as soon as it is there.',
  },
  FW6024: {
    severity: 'warning',
    title: 'A certificate is left to somebody else',
    hint: 'Name a Secret of its own for the certificate, or take the Secret or the Certificate away that stands in its place.',
  },
  FW6025: {
    severity: 'error',
    title: 'A certificate cannot be asked for',
    hint: 'Names are proved by HTTP-01 over plain HTTP, by TLS-ALPN-01 over HTTPS, and wildcards by DNS-01 only.',
  },
  FW6026: {
    severity: 'warning',
    title: 'Objects disagree about a certificate',
    hint: 'Let all objects that share a Secret name the same issuer, or give each a Secret of its own.',
  },
  FW6027: {
    severity: 'info',
    title: 'An annotation of cert-manager has no effect',
    hint: 'Fairway issues for ECDSA P-256 keys with the names of the TLS section; take the annotation away.',
  },
} as const satisfies Record<string, DiagnosticRule>;
