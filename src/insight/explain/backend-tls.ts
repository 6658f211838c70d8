/** How the hop to a backend is secured, in words. */
import { formatRef } from '../../base/diagnostics/index.ts';
import type { Backend, BackendTls } from '../../routing/plan/plan.ts';

/** Lines for the details of a step; none for a backend that is spoken to in plain text. */
export function backendHopDetails({ tls, tlsAsListener }: Pick<Backend, 'tls' | 'tlsAsListener'>): string[] {
  if (!tls) return [];
  return [...backendTlsDetails(tls), ...(tlsAsListener ? ['plain HTTP for requests that came without TLS'] : [])];
}

export function backendTlsDetails({ serverName, verify, ca, subjectAltNames, source }: BackendTls): string[] {
  const names = subjectAltNames.map(({ type, value }) => `${type}:${value}`).join(' or ');
  const who = names || serverName;
  const trust = verify
    ? `certificate verified: for ${who}, by ${ca === 'system' ? 'an authority of the system' : 'an authority of the policy'}`
    : 'certificate not verified: any is taken';
  return [`TLS to the Pods, server name ${serverName}; ${trust} (${formatRef(source.object)})`];
}
