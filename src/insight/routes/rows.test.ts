import { describe, expect, it } from 'vitest';
import { openWorld } from '../sources.ts';
import { backendsText } from './render.ts';
import { routeRows } from './rows.ts';

const manifests = `
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata: {name: out}
spec:
  type: ExternalHostname
  externalHostname: {hostname: api.example.net}
  port: {port: 443}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {gatewayClassName: fairway, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec:
  parentRefs: [{name: gw}]
  hostnames: [x.example.com]
  rules: [{backendRefs: [{group: gateway.networking.x-k8s.io, kind: XBackend, name: out, port: 443}]}]
`;

describe('routeRows', () => {
  it('shows where an XBackend leads, instead of endpoints that are not counted here', async () => {
    const [row] = routeRows(await openWorld({ files: ['-'], stdin: manifests }));
    expect(row!.backends).toMatchObject([{ namespace: 'default', service: 'out', external: 'api.example.net' }]);
    expect(backendsText(row!)).toBe('out:443 (api.example.net)');
  });

  it('knows classes of a controller of another name when it is told so', async () => {
    const own = `${manifests}---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: edge}
spec: {controllerName: example.com/edge}
`.replace('gatewayClassName: fairway', 'gatewayClassName: edge');
    const rows = async (controllerName?: string) =>
      routeRows(
        await openWorld({ files: ['-'], stdin: own, adopt: false, ...(controllerName && { controllerName }) }),
      ).map(({ rank, conditions }) => [rank, conditions.find(({ type }) => type === 'Accepted')?.status]);
    expect(await rows('example.com/edge')).toEqual([[1, 'True']]);
    expect(await rows()).toEqual([]);
  });
});
