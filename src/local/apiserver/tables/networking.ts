/** Columns of Services, endpoints, Ingresses and their policies. */
import type { JsonObject } from '../../../kube/patch/json.ts';
import { at, formatLabels, formatSelector, NONE, objectsAt, orNone, some, textAt, textsAt } from './format.ts';
import { age, column, name, type Row, type TableDefinition, table, wide } from './table.ts';

function balancerAddresses(row: Row): string[] {
  return objectsAt(row, 'status', 'loadBalancer', 'ingress').flatMap((ingress) => {
    const address = textAt(ingress, 'ip') || textAt(ingress, 'hostname');
    return address ? [address] : [];
  });
}

function externalAddress(row: Row): string {
  const type = textAt(row, 'spec', 'type');
  if (type === 'ExternalName') return textAt(row, 'spec', 'externalName');
  const external = textsAt(row, 'spec', 'externalIPs');
  if (type !== 'LoadBalancer') return orNone(external.join(','));
  return [...balancerAddresses(row), ...external].join(',') || '<pending>';
}

function servicePort(port: JsonObject): string {
  const node = textAt(port, 'nodePort');
  return `${textAt(port, 'port')}${node && node !== '0' ? `:${node}` : ''}/${textAt(port, 'protocol') || 'TCP'}`;
}

export const services: TableDefinition = table(
  name,
  column('Type', (row) => textAt(row, 'spec', 'type') || 'ClusterIP'),
  column('Cluster-IP', (row) => orNone(textsAt(row, 'spec', 'clusterIPs')[0] ?? textAt(row, 'spec', 'clusterIP'))),
  column('External-IP', externalAddress),
  column('Port(s)', (row) => orNone(objectsAt(row, 'spec', 'ports').map(servicePort).join(','))),
  age,
  wide('Selector', (row) => formatLabels(at(row, 'spec', 'selector'))),
);

const hostPort = (host: string, port: string) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

function endpointAddresses(row: Row): string[] {
  return objectsAt(row, 'subsets').flatMap((subset) => {
    const addresses = objectsAt(subset, 'addresses').map((address) => textAt(address, 'ip'));
    const ports = objectsAt(subset, 'ports').map((port) => textAt(port, 'port'));
    if (ports.length === 0) return addresses;
    return ports.flatMap((port) => addresses.map((address) => hostPort(address, port)));
  });
}

export const endpoints: TableDefinition = table(
  name,
  column('Endpoints', (row) => some(endpointAddresses(row), NONE)),
  age,
);

export const endpointSlices: TableDefinition = table(
  name,
  column('AddressType', (row) => textAt(row, 'addressType')),
  column('Ports', (row) =>
    some(
      objectsAt(row, 'ports').map((port) => textAt(port, 'port') || textAt(port, 'name') || '*'),
      '<unset>',
    ),
  ),
  column('Endpoints', (row) =>
    some(
      objectsAt(row, 'endpoints').flatMap((endpoint) => textsAt(endpoint, 'addresses')),
      '<unset>',
    ),
  ),
  age,
);

function ingressHosts(row: Row): string {
  const hosts = objectsAt(row, 'spec', 'rules')
    .map((rule) => textAt(rule, 'host'))
    .filter((host) => host !== '');
  return some(hosts, '*');
}

export const ingresses: TableDefinition = table(
  name,
  column('Class', (row) => orNone(textAt(row, 'spec', 'ingressClassName'))),
  column('Hosts', ingressHosts),
  column('Address', (row) => balancerAddresses(row).join(',')),
  column('Ports', (row) => (objectsAt(row, 'spec', 'tls').length > 0 ? '80, 443' : '80')),
  age,
);

function classParameters(row: Row): string {
  const [kind, name] = [textAt(row, 'spec', 'parameters', 'kind'), textAt(row, 'spec', 'parameters', 'name')];
  if (!kind) return NONE;
  const group = textAt(row, 'spec', 'parameters', 'apiGroup');
  return `${kind}${group ? `.${group}` : ''}/${name}`;
}

export const ingressClasses: TableDefinition = table(
  name,
  column('Controller', (row) => textAt(row, 'spec', 'controller')),
  column('Parameters', classParameters),
  age,
);

export const networkPolicies: TableDefinition = table(
  name,
  column('Pod-Selector', (row) => formatSelector(at(row, 'spec', 'podSelector'))),
  age,
);
