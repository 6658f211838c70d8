/** Flags about certificates that `fairway up` and `fairway gateway` share. */
import { type Command, InvalidArgumentError } from 'commander';
import type { AcmePlace } from '../control/acme/names.ts';

export function objectName(value: string): string {
  if (!/^[a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9.-]*$/.test(value)) throw new InvalidArgumentError('write NAMESPACE/NAME');
  return value;
}

/** `issuers`: the default of its flag, for people. */
export function addCertificateFlags(command: Command, issuers: string): void {
  command.option('--acme-issuers <ns/name>', `ConfigMap of ACME issuers; default: ${issuers}`, objectName);
}

export interface CertificateFlags {
  acmeIssuers?: string;
}

/** Of a name that `objectName` has let in. */
export function placeOf(name: string): AcmePlace {
  const slash = name.indexOf('/');
  return { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}
