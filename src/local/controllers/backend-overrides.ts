/** Real processes in place of Pods: `--backend namespace/service[:port]=host:port`. */

import type { ObjectRef } from '../../base/diagnostics/index.ts';
import { diagnostic } from '../../base/diagnostics/index.ts';
import { parseIp } from '../../base/ip.ts';
import type { Service, ServicePort } from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';

export interface BackendOverride {
  readonly namespace: string;
  readonly service: string;
  /** Number or name of the Service's port; all ports unless given. */
  readonly port?: number | string;
  /** IPv4 address of the process: names are resolved by the caller. */
  readonly host: string;
  readonly targetPort: number;
}

export const overrideKey = (override: BackendOverride) => `${override.namespace}/${override.service}`;

function concerns(override: BackendOverride, port: ServicePort): boolean {
  if (override.port === undefined) return true;
  return override.port === port.port || override.port === port.name || String(port.port) === override.port;
}

/** The override of a Service's port; one that names the port goes before one that means all. */
export function overrideOf(overrides: readonly BackendOverride[], port: ServicePort): BackendOverride | undefined {
  const fitting = overrides.filter((override) => concerns(override, port));
  return fitting.find((override) => override.port !== undefined) ?? fitting[0];
}

/** What keeps an override from having an effect on the Service as it is. */
export function overrideFault(override: BackendOverride, service: Service | undefined): string | undefined {
  if (parseIp(override.host)?.version !== 4) return `${override.host} is not an IPv4 address`;
  if (!service) return `there is no Service ${overrideKey(override)}`;
  if (service.spec.type === 'ExternalName') return `Service ${overrideKey(override)} is an ExternalName`;
  if (!(service.spec.ports ?? []).some((port) => concerns(override, port)))
    return override.port === undefined
      ? `Service ${overrideKey(override)} has no ports`
      : `Service ${overrideKey(override)} has no port ${override.port}`;
  return undefined;
}

export function reportOverrides(
  ctx: ControllerContext,
  key: string,
  overrides: readonly BackendOverride[],
  service: Service | undefined,
): void {
  const [namespace, name] = key.split('/') as [string, string];
  const object: ObjectRef = { apiVersion: 'v1', kind: 'Service', namespace, name };
  const found = overrides.flatMap((override) => {
    const message = overrideFault(override, service);
    return message ? [diagnostic('FW1510', { message: `--backend: ${message}`, object })] : [];
  });
  ctx.findings.set('backend', object, found);
}
