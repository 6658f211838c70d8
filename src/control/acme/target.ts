/** Secrets that certificates are delivered in: whose they are, what is in them, and how new ones get there. */
import type { Secret } from '../../kube/types/index.ts';
import { readCertificate, type ServingCertificate } from '../../routing/certificates.ts';
import { foreignCertificateAnnotation, issuerAnnotation, managedBy, serverAnnotation } from './names.ts';
import type { AcmeObjects } from './objects.ts';
import type { IssuedCertificate } from './order.ts';
import type { WantedCertificate } from './wanted.ts';

/** We have issued it, or cert-manager has: with that one gone, it is to go on. */
export function isTakenOver({ metadata: { annotations = {} } }: Secret): boolean {
  return annotations[issuerAnnotation] !== undefined || annotations[foreignCertificateAnnotation] !== undefined;
}

/** Its certificate, when that is for all names and of the issuer that is wanted. */
export function fitting(secret: Secret, { names, issuer }: WantedCertificate): ServingCertificate | undefined {
  const reading = readCertificate(secret);
  if (!reading.ok) return undefined;
  const { annotations = {} } = secret.metadata;
  const isOfIssuer =
    annotations[issuerAnnotation] === undefined ||
    (annotations[issuerAnnotation] === issuer.name && annotations[serverAnnotation] === issuer.server);
  return isOfIssuer && names.every((name) => reading.value.names.includes(name)) ? reading.value : undefined;
}

/** Rejects when what the server has sent is not what was ordered. */
export async function deliver(
  objects: AcmeObjects,
  wanted: WantedCertificate,
  { chain, key }: IssuedCertificate,
): Promise<Secret> {
  const { namespace, secretName: name, issuer } = wanted;
  const stored = await objects.read('secrets', namespace, name);
  if (stored && !isTakenOver(stored)) throw new Error(`Secret ${wanted.key} has been made by somebody else meanwhile`);
  const fresh: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'kubernetes.io/tls' };
  const { metadata, data, ...rest } = stored ?? fresh;
  const secret: Secret = {
    ...rest,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...managedBy },
      annotations: { ...metadata.annotations, [issuerAnnotation]: issuer.name, [serverAnnotation]: issuer.server },
    },
    data: {
      ...data,
      'tls.crt': Buffer.from(chain).toString('base64'),
      'tls.key': Buffer.from(key).toString('base64'),
    },
  };
  const reading = readCertificate(secret);
  if (!reading.ok) throw new Error(`what the server has issued cannot be used: ${reading.error.message}`);
  if (!fitting(secret, wanted)) throw new Error(`what the server has issued is not for ${wanted.names.join(', ')}`);
  return objects.write('secrets', secret);
}
