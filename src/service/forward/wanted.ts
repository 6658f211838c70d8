/** Which sockets a Service asks for, as a pure function of the Service. */

import { isIPv4 } from 'node:net';
import { blank } from '../../base/blank.ts';
import type { Service, ServicePort } from '../../kube/types/index.ts';
import type { L4Protocol } from '../bind.ts';

export interface WantedSocket {
  readonly address: string;
  readonly port: number;
  readonly protocol: L4Protocol;
  /** Where the address comes from. */
  readonly role: 'clusterIP' | 'loadBalancer' | 'externalIP' | 'nodePort';
  /** NodePort on 127.0.0.1: a convenience, so failing to open it is only a warning. */
  readonly optional: boolean;
  /** JSON path of the field that asks for it. */
  readonly fieldPath: string;
  readonly servicePort: ServicePort;
}

/** Something that is asked for and not served on loopback, in words. */
export interface Unserved {
  readonly fieldPath: string;
  readonly message: string;
}

export interface WantedSockets {
  readonly sockets: readonly WantedSocket[];
  readonly unserved: readonly Unserved[];
}

interface Place extends Pick<WantedSocket, 'address' | 'role' | 'fieldPath'> {}

const isLoopback = (address: string) => address.startsWith('127.') && isIPv4(address);

/** `TCP 127.96.0.10:53`: identity of a socket. */
export function socketKey(socket: Pick<WantedSocket, 'protocol' | 'address' | 'port'>): string {
  return `${socket.protocol} ${socket.address}:${socket.port}`;
}

/**
 * Sockets for the ClusterIP, LoadBalancer addresses and externalIPs (IPv4 in 127.0.0.0/8 only) on each TCP and UDP
 * port, and for NodePorts on the node's addresses and 127.0.0.1. Headless and ExternalName Services have none.
 */
export function wantedSockets(service: Service, nodeAddresses: readonly string[]): WantedSockets {
  const sockets = new Map<string, WantedSocket>();
  const unserved: Unserved[] = [];
  if (service.spec.type === 'ExternalName') return { sockets: [], unserved };

  const places = addressesOf(service, unserved);
  const ports = service.spec.ports ?? [];
  for (const [index, servicePort] of ports.entries()) {
    const protocol = servicePort.protocol ?? 'TCP';
    if (protocol === 'SCTP') {
      unserved.push({ fieldPath: `spec.ports[${index}].protocol`, message: 'SCTP is not forwarded on loopback' });
      continue;
    }
    const wanted: WantedSocket[] = [
      ...places.map((place) => ({
        ...blank,
        ...place,
        port: servicePort.port,
        protocol,
        optional: false,
        servicePort,
      })),
      ...nodePortSockets(service, servicePort, index, protocol, nodeAddresses),
    ];
    for (const socket of wanted) if (!sockets.has(socketKey(socket))) sockets.set(socketKey(socket), socket);
  }
  return { sockets: [...sockets.values()], unserved };
}

function addressesOf(service: Service, unserved: Unserved[]): Place[] {
  const { clusterIP, clusterIPs = clusterIP ? [clusterIP] : [], externalIPs = [] } = service.spec;
  const places: Place[] = [
    ...clusterIPs.map((address, index) => ({
      address,
      role: 'clusterIP' as const,
      fieldPath: service.spec.clusterIPs ? `spec.clusterIPs[${index}]` : 'spec.clusterIP',
    })),
    ...externalIPs.map((address, index) => ({
      address,
      role: 'externalIP' as const,
      fieldPath: `spec.externalIPs[${index}]`,
    })),
    ...(service.status?.loadBalancer?.ingress ?? []).map(({ ip }, index) => ({
      address: ip ?? '',
      role: 'loadBalancer' as const,
      fieldPath: `status.loadBalancer.ingress[${index}].ip`,
    })),
  ];
  for (const { address, fieldPath } of places) {
    // IPv6 addresses of the local cluster are names only; that is documented, not a finding for every Service.
    if (isIPv4(address) && !isLoopback(address))
      unserved.push({ fieldPath, message: `${address} is outside 127.0.0.0/8 and is not opened on this machine` });
  }
  return places.filter(({ address }) => isLoopback(address));
}

function nodePortSockets(
  service: Service,
  servicePort: ServicePort,
  index: number,
  protocol: L4Protocol,
  nodeAddresses: readonly string[],
): WantedSocket[] {
  const { type } = service.spec;
  const port = servicePort.nodePort;
  if (!port || (type !== 'NodePort' && type !== 'LoadBalancer')) return [];
  const socket = { port, protocol, role: 'nodePort' as const, fieldPath: `spec.ports[${index}].nodePort`, servicePort };
  const onNode = nodeAddresses.filter(isLoopback).map((address) => ({ ...socket, address, optional: false }));
  return [...onNode, { ...socket, address: '127.0.0.1', optional: true }];
}
