/** What all hosts of the dialect have in common. */
import type { Provenance } from '../plan/plan.ts';
import type { NginxConfig } from './config/config.ts';
import type { IngressNginxFlags } from './flags.ts';
import type { HostCertificates } from './tls.ts';

export interface NginxScope {
  readonly flags: IngressNginxFlags;
  readonly config: NginxConfig;
  readonly certificates: HostCertificates;
  /** Where what belongs to no Ingress comes from. */
  readonly source: Provenance;
}

const noFlags: IngressNginxFlags = {};

export function createScope(
  flags: IngressNginxFlags | undefined,
  config: NginxConfig,
  certificates: HostCertificates,
  source: Provenance,
): NginxScope {
  return { flags: flags ?? noFlags, config, certificates, source };
}
