/** Names that ACME's objects and annotations have. docs/certificates.md explains each. */
import { createHash } from 'node:crypto';

/** Where issuers are listed, and state is kept. */
export interface AcmePlace {
  readonly namespace: string;
  /** Of the ConfigMap of issuers. */
  readonly name: string;
}

export const defaultIssuersName = 'fairway-issuers';

/** Key of the ConfigMap of issuers that holds the list. */
export const issuersKey = 'issuers.yaml';

/** ConfigMap of the challenges that are open. */
export const challengesName = 'fairway-acme-challenges';

export const types = { account: 'fairway.dev/acme-account', order: 'fairway.dev/acme-order' } as const;

/** On Secrets with certificates that we have had issued: by whom. */
export const issuerAnnotation = 'fairway.dev/acme-issuer';
export const serverAnnotation = 'fairway.dev/acme-server';

export const managedBy = { 'app.kubernetes.io/managed-by': 'fairway' } as const;

/** Annotations that ask for certificates, as cert-manager's shims know them. */
export const asking = {
  clusterIssuer: 'cert-manager.io/cluster-issuer',
  issuer: 'cert-manager.io/issuer',
  issuerKind: 'cert-manager.io/issuer-kind',
  issuerGroup: 'cert-manager.io/issuer-group',
  tlsAcme: 'kubernetes.io/tls-acme',
} as const;

/** On Secrets that cert-manager has filled. */
export const foreignCertificateAnnotation = 'cert-manager.io/certificate-name';

export const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** Secret with the state of the order for a certificate, `namespace/name` of its Secret. */
export const orderSecretName = (key: string): string => `fairway-acme-order-${digest(key)}`;

/** Secret with the account of an issuer at a server. */
export const accountSecretName = (issuer: string, server: string): string =>
  `fairway-acme-account-${issuer}-${digest(server)}`;
