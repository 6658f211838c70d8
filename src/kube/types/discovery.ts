/** discovery.k8s.io/v1. */
import type { KubeObject } from './meta.ts';

export interface EndpointConditions {
  /** Absent means true. Set for Pods that are ready, or all when publishNotReadyAddresses. */
  ready?: boolean;
  serving?: boolean;
  terminating?: boolean;
}

export interface SliceEndpoint {
  addresses: string[];
  conditions?: EndpointConditions;
  hostname?: string;
  nodeName?: string;
  zone?: string;
  targetRef?: { kind?: string; namespace?: string; name?: string; uid?: string };
  hints?: { forZones?: { name: string }[] };
}

export interface SlicePort {
  name?: string;
  protocol?: string;
  port?: number;
  appProtocol?: string;
}

export interface EndpointSlice extends KubeObject {
  kind: 'EndpointSlice';
  addressType: 'IPv4' | 'IPv6' | 'FQDN';
  endpoints: SliceEndpoint[];
  ports?: SlicePort[];
}

/** Label of an EndpointSlice that names its Service (same namespace). */
export const serviceNameLabel = 'kubernetes.io/service-name';
/** Label that names the controller or person who owns an EndpointSlice. */
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
