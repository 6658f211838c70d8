/**
 * networking.k8s.io/v1 Ingress to plan. The dialect is the API's own: Exact and Prefix as the field's table has them,
 * ImplementationSpecific as Prefix, a wildcard host for exactly one label, the default backend for what no path takes.
 * HTTP is served beside HTTPS and not redirected to it: nothing in the API asks for that. Port 80 answers 404 also when
 * there is no Ingress (any more), as a controller's door does. Every host answers on both ports; port 443 exists once a TLS section has a usable certificate, and clients that ask for another name are
 * refused, since there is no default certificate.
 */
import type { Ingress } from '../../kube/types/index.ts';
import { type Listener, listenerId, type Provenance, type VirtualHost } from '../plan/plan.ts';
import type { StatusUpdate, Translator } from '../translate.ts';
import { reportForeignAnnotations } from './annotations.ts';
import { createBackendResolver } from './backends.ts';
import { selectIngresses } from './classes.ts';
import { type Context, createContext } from './context.ts';
import { buildHosts } from './hosts.ts';
import { findShapeFault } from './shape.ts';
import { abandonedStatus, servedStatus } from './status.ts';
import { collectCertificates, type ServedCertificates } from './tls.ts';

/** Translates all Ingresses of a store. */
export const translateIngress: Translator = (input) => {
  const context = createContext(input);
  const backends = createBackendResolver(context);
  const { taken, others, classes } = selectIngresses(context);
  const faulty = new Set(taken.filter((ingress) => !isReadable(context, ingress)));
  const readable = taken.filter((ingress) => !faulty.has(ingress));
  const unserved = [...others, ...faulty];
  const hosts = buildHosts(context, readable, backends);
  const served = collectCertificates(context, readable);
  for (const ingress of readable) reportForeignAnnotations(context, ingress);
  const addresses = input.addresses.ingress();
  return {
    listeners: addresses.flatMap((address) => listenersOn(address, hosts, served, classes)),
    backends: backends.used(),
    certificates: served?.certificates ?? [],
    statuses: statusesOf(readable, unserved, addresses),
    diagnostics: context.findings,
  };
};

function isReadable(context: Context, ingress: Ingress): boolean {
  const fault = findShapeFault(ingress);
  if (fault) context.report('FW2010', ingress, fault.fieldPath, fault.message);
  return !fault;
}

function listenersOn(
  address: string,
  hosts: readonly VirtualHost[],
  served: ServedCertificates | undefined,
  sources: readonly Provenance[],
): Listener[] {
  const http: Listener = { id: listenerId(address, 80, 'HTTP'), address, port: 80, protocol: 'HTTP', hosts, sources };
  if (!served) return [http];
  const id = listenerId(address, 443, 'HTTPS');
  return [http, { id, address, port: 443, protocol: 'HTTPS', tls: served.tls, hosts, sources }];
}

function statusesOf(
  taken: readonly Ingress[],
  others: readonly Ingress[],
  addresses: readonly string[],
): StatusUpdate[] {
  const cleared = others.map((ingress) => abandonedStatus(ingress, addresses)).filter((update) => update !== undefined);
  return [...taken.map((ingress) => servedStatus(ingress, addresses)), ...cleared];
}
