/** Which certificate a listener shows for a name, and what is wrong with it. */
import { X509Certificate } from 'node:crypto';
import { formatRef } from '../../base/diagnostics/index.ts';
import type { ListenerTls, Plan } from '../../routing/plan/plan.ts';

function serves(serverName: string, name: string): boolean {
  if (serverName === '*') return true;
  if (!serverName.startsWith('*.')) return serverName === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === serverName.slice(1);
}

/** What a front door makes for itself (control/self-signed.ts). */
const selfSigned = 'self-signed';

/** `ok` is false when the handshake would be refused; a certificate that does not cover the name is shown all the same. */
export function certificateDetails(
  plan: Plan,
  { tls }: { readonly tls?: Pick<ListenerTls, 'certificates'> },
  name: string,
): { ok: boolean; details: string[] } {
  const entries = tls?.certificates ?? [];
  const order = [
    (entry: string) => entry === name,
    (entry: string) => entry.startsWith('*.') && serves(entry, name),
    (entry: string) => entry === '*',
  ];
  const chosen = order
    .map((fits) => entries.find(({ serverName }) => fits(serverName)))
    .find((entry) => entry !== undefined);
  const certificate = chosen && plan.certificates[chosen.certificate];
  if (!certificate)
    return {
      ok: false,
      details: [`certificates for: ${entries.map(({ serverName }) => serverName).join(', ') || 'none'}`],
    };
  if (certificate.id === selfSigned)
    return { ok: true, details: [`a self-signed certificate: no Secret has one for ${name}, clients will refuse it`] };
  const parsed = new X509Certificate(certificate.chain);
  const details = [
    `certificate ${formatRef(certificate.source.object)}, for ${parsed.subjectAltName ?? parsed.subject}, until ${parsed.validTo}`,
  ];
  if (parsed.checkHost(name) === undefined) details.push(`it does not cover ${name}: clients will refuse it`);
  if (new Date(parsed.validTo).getTime() < Date.now()) details.push('it has expired: clients will refuse it');
  return { ok: true, details };
}
