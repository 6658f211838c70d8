/** Fairway from objects to sockets in this process: store → translators → plan → data plane. */
import { loadAll } from 'js-yaml';
import { createController } from '../../../src/control/controller.ts';
import { createLocalStatusSink } from '../../../src/control/status-sink.ts';
import { createObjectApi, type ObjectApi } from '../../../src/kube/objects.ts';
import { createResourceRegistry } from '../../../src/kube/resources.ts';
import { createAdmission } from '../../../src/kube/schema/admission.ts';
import { createSchemas } from '../../../src/kube/schema/crd.ts';
import { createStore } from '../../../src/kube/store/store.ts';
import type { KubeObject } from '../../../src/kube/types/index.ts';
import { createProxy, type ProxyOptions } from '../../../src/proxy/proxy.ts';
import type { BindPolicy } from '../../../src/service/bind.ts';
import type { Backends } from './echo.ts';

export interface Fairway {
  readonly address: string;
  readonly port: number;
  /** Findings in force, `FW1234 message`. */
  readonly findings: readonly string[];
  close(): Promise<void>;
}

/** Ports of users, and where they are bound: nginx and Fairway run without privilege alike. */
export const doorPorts: Readonly<Record<number, number>> = { 80: 8080, 443: 8443 };

const bind: BindPolicy = {
  mode: 'high-ports',
  map: (address, port) => ({ address, port: doorPorts[port] ?? port }),
  describe: () => [],
};

const nginxClass = {
  ...{ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'nginx' } },
  spec: { controller: 'k8s.io/ingress-nginx' },
};

/** A Service of one port with one endpoint. */
function backendObjects(name: string, address: string, port: number): object[] {
  return [
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name } },
      spec: { ports: [{ name: 'http', port: 80, targetPort: port }], selector: { app: name } },
    },
    {
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
      metadata: { name, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: 'http', port, protocol: 'TCP' }],
    },
  ];
}

function createObjects(): ObjectApi {
  const registry = createResourceRegistry();
  return createObjectApi({
    store: createStore(),
    registry,
    admit: createAdmission({ schemas: createSchemas(registry) }),
  });
}

/** Serves manifests on an address; throws what the API would not take. */
export async function startFairway(
  address: string,
  manifests: string,
  backends: Backends,
  options: Pick<ProxyOptions, 'onAccess' | 'accessLines'> = {},
): Promise<Fairway> {
  const objects = createObjects();
  const known = Object.entries(backends.addresses).flatMap(([name, at]) => backendObjects(name, at, backends.port));
  const given = (loadAll(manifests) as (object | null | undefined)[]).filter((object) => object != null);
  for (const object of [nginxClass, ...known, ...given]) {
    const written = objects.create(object as KubeObject);
    if (!written.ok) throw new Error(written.error.message);
  }
  const findings: string[] = [];
  const proxy = createProxy({ ...options, onDiagnostic: ({ code, message }) => findings.push(`${code} ${message}`) });
  const controller = createController({
    store: objects.store,
    proxy,
    bind,
    statuses: createLocalStatusSink(objects),
    addresses: { ingress: () => [address], gateway: () => address, usable: () => true },
    adopt: true,
    position: () => undefined,
    onError: (message) => findings.push(message),
  });
  controller.start();
  controller.deliverEndpoints();
  await controller.settled();
  const { plan, unbound } = controller.state;
  const failed = Object.entries(unbound).map(([id, why]) => `${id}: ${why}`);
  const close = async () => {
    controller.stop();
    await proxy.close(0);
  };
  if (plan.listeners.length === 0 || failed.length > 0) {
    await close();
    throw new Error(`Fairway does not listen: ${[...failed, ...findings].join('; ')}`);
  }
  findings.push(...controller.state.diagnostics.map(({ code, message }) => `${code} ${message}`));
  return {
    address,
    port: doorPorts[80]!,
    findings,
    close,
  };
}
