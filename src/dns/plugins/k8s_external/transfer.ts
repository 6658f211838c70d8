/** An external zone whole, for those who may have a copy (RFC 5936). */
import { matchingPorts } from '../../records/answers.ts';
import type { ExternalServices } from '../../records/external-services.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { recordType } from '../../wire/numbers.ts';
import type { ZoneTransfer } from '../plugin.ts';
import type { ExternalZone } from './zone.ts';

type Shown = ReturnType<ExternalServices['all']>[number];

/** `_port._protocol` of the ports that have a name: only those have SRV records (specification 1.1.0, 2.3.2). */
function portLabels({ entry, external }: Shown): string[][] {
  const ports = external ? entry.ports : entry.endpoints.flatMap((endpoint) => matchingPorts(endpoint.ports, {}));
  const named = ports.filter(({ name }) => name !== '').map(({ name, protocol }) => `_${name}._${protocol}`);
  return [...new Set(named)].map((label) => label.split('.'));
}

/** Labels left of `service.namespace` that the Service answers: none, ports, and endpoints of headless ones. */
function prefixes(shown: Shown): string[][] {
  const endpoints = shown.external ? [] : [...new Set(shown.entry.endpoints.map(({ label }) => label))];
  return [[], ...endpoints.map((label) => [label]), ...portLabels(shown)];
}

function recordsAt(zone: ExternalZone, services: ExternalServices, labels: readonly string[]): ResourceRecord[] {
  const found = services.find(labels);
  if (!found) return [];
  const owner = zone.absolute(labels.join('.'));
  const { answers } = zone.srv(owner, found);
  // Names of ports have addresses too when they are asked for; a copy of the zone needs only what they are for.
  if (labels[0]?.startsWith('_')) return answers;
  const alias = zone.alias(owner, found);
  if (alias) return [alias];
  const addresses = [recordType.A, recordType.AAAA].flatMap((type) => zone.addresses(owner, type, found));
  return [...addresses, ...answers];
}

/** The zone as it is now. */
export function transferOf(zone: ExternalZone, services: ExternalServices, serial: number): ZoneTransfer {
  return {
    soa: zone.soa(),
    serial,
    records: () => [
      zone.ns(),
      ...zone.nameserverAddresses(),
      ...services.all().flatMap((shown) => {
        const { name, namespace } = shown.entry;
        return prefixes(shown).flatMap((labels) => recordsAt(zone, services, [...labels, name, namespace]));
      }),
    ],
  };
}
