/** `fairway explain` where a ListenerSet is behind a Gateway's door: it names the set as the owner of the listener. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fairway } from '../support/command.ts';
import { app, backendRef, gateway, gatewayVersion, httpRoute, type Manifest, stream } from '../support/manifests.ts';

const folder = mkdtempSync(join(tmpdir(), 'explain-sets-'));
const file = join(folder, 'sets.yaml');
afterAll(() => rmSync(folder, { recursive: true }));

const shared = gateway('gw', [{ name: 'web', port: 80, protocol: 'HTTP', hostname: 'own.example.com' }]);
const set = (name: string, hostname: string, time: number): Manifest => ({
  apiVersion: gatewayVersion,
  kind: 'ListenerSet',
  metadata: { name, namespace: 'default', creationTimestamp: `2026-01-01T00:00:0${time}Z` },
  spec: { parentRef: { name: 'gw' }, listeners: [{ name: 'web', port: 80, protocol: 'HTTP', hostname }] },
});
const routeTo = (name: string): Manifest =>
  httpRoute(name, { kind: 'ListenerSet', name }, [{ backendRefs: [backendRef('app')] }]);

describe('explain', () => {
  beforeAll(() =>
    writeFileSync(
      file,
      stream(
        ...app('app'),
        { ...shared, spec: { ...(shared['spec'] as object), allowedListeners: { namespaces: { from: 'Same' } } } },
        set('first', 'set.example.com', 1),
        set('second', 'set.example.com', 2),
        routeTo('first'),
        routeTo('second'),
        httpRoute('own', 'gw', [{ backendRefs: [backendRef('app')] }]),
        httpRoute('lost', { name: 'gw', sectionName: 'none' }, [{ backendRefs: [backendRef('app')] }]),
      ),
    ),
  );

  it('names the set whose listener takes the request, and the Gateway whose door it is', async () => {
    const { text } = await fairway('explain', 'http://set.example.com/', '-f', file);
    expect(text).toContain('listener web of ListenerSet default/first');
    expect(text).toMatch(/load balancer.*\(Gateway default\/gw\)/);
  });

  it('says of a listener of the Gateway nothing of sets', async () => {
    const { text } = await fairway('explain', 'http://own.example.com/', '-f', file);
    expect(text).toContain('→ HTTPRoute default/own');
    expect(text).not.toContain('of ListenerSet');
  });

  it('says in lint which listener lost, to which, and how routes reach a set', async () => {
    const { text } = await fairway('lint', '-f', file);
    expect(text).toContain('shares port and hostname with the listener web of the ListenerSet default/first');
    expect(text).toContain('the Gateway default/gw has no listener named none');
    expect(text).toContain('kind: ListenerSet');
  });
});
