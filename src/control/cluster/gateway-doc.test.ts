/** docs/gateway.md and deploy/gateway.yaml say what the code does: flags, what is watched, rules, metrics. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { packageRoot } from '../../base/package-root.ts';
import { rowsBelow } from '../../base/testing/doc-table.ts';
import { defineGateway } from '../../cli/gateway.ts';
import { addGatewayFlags } from '../../cli/gateway-flags.ts';
import { parseManifest } from '../../kube/manifests/parse.ts';
import { groupOf, keyOf } from '../../kube/resources.ts';
import type { Unstructured } from '../../kube/types/index.ts';
import { showFigures } from '../../local/own-metrics.ts';
import { servicesResource, slicesResource } from '../../routing/gateway/infrastructure.ts';
import { resources } from '../../routing/gateway/kinds.ts';
import { emptyPlan } from '../../routing/plan/plan.ts';
import { eventsResource } from './event-sink.ts';
import { createEventMetrics, createStatusMetrics, showClusterFigures } from './metrics.ts';
import { createWatchedRegistry, referencedResources, watchedResources } from './watched.ts';

const page = readFileSync(join(packageRoot, 'docs/gateway.md'), 'utf8');

const watched = [...new Set([...watchedResources().map(({ resource }) => resource), ...referencedResources])].sort();

describe('docs/gateway.md', () => {
  it('lists the flags with their defaults', () => {
    const command = new Command('gateway');
    addGatewayFlags(command);
    const documented = rowsBelow(page, 'flag', 'default', 'does');
    expect(documented.map(([flag]) => flag).sort()).toEqual(command.options.map(({ long }) => long).sort());
    const defaults = new Map(documented.map(([flag, value]) => [flag, value]));
    for (const { long, defaultValue } of command.options) {
      if (defaultValue === undefined) continue;
      const shown = typeof defaultValue === 'object' ? Object.values(defaultValue).join(':') : String(defaultValue);
      expect(`${long} ${defaults.get(long!)}`).toBe(`${long} ${shown}`);
    }
  });

  it('names only flags that there are', () => {
    const command = new Command('gateway');
    defineGateway(command);
    const flags = new Set(command.options.map(({ long }) => long));
    // That of fairway up.
    flags.add('--no-gateway');
    const named = [...page.matchAll(/`(--[a-z-]+)/g)].map(([, flag]) => flag!);
    expect(named.filter((flag) => !flags.has(flag))).toEqual([]);
  });

  it('lists what is watched', () => {
    expect(rowsBelow(page, 'resource', 'which', 'why').map(([resource]) => resource)).toEqual(watched);
  });

  it('lists the metrics', () => {
    const registry = createMetricsRegistry();
    createStatusMetrics(registry).written();
    createEventMetrics(registry).written();
    showClusterFigures(registry, { isLeader: () => true, isReady: () => true, pending: () => 0 });
    const state = { generation: 0, plan: emptyPlan, diagnostics: [], generated: [], unbound: {} };
    showFigures(registry, { controller: () => state });
    const types = [...registry.expose().matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    const documented = rowsBelow(page, 'metric', 'type', 'labels', 'counts').map(([name, type]) => `${name} ${type}`);
    expect(documented).toEqual(types.sort());
  });
});

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

describe('deploy/gateway.yaml', () => {
  const file = join(packageRoot, 'deploy/gateway.yaml');
  const { objects, diagnostics } = parseManifest(file, readFileSync(file, 'utf8'));
  const find = <T>(kind: string) => objects.find(({ object }) => object.kind === kind)!.object as Unstructured & T;
  const { rules } = find<{ rules: Rule[] }>('ClusterRole');
  const allowed = new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group ? `${resource}.${group}` : resource}`)),
      ),
    ),
  );

  it('is read without a complaint', () => {
    expect(diagnostics).toEqual([]);
  });

  it('allows what is watched and written, and nothing else', () => {
    const registry = createWatchedRegistry();
    const needed = watched.flatMap((name) => {
      const resource = registry.byName(name)!;
      const isWritten = /gateway|networking/.test(resource.group) && resource.status;
      // Read anew after a conflict, or by its name.
      const isGot = isWritten || referencedResources.has(name);
      const reading = ['list', 'watch', ...(isGot ? ['get'] : [])].map((verb) => `${verb} ${name}`);
      const writing = isWritten ? [`patch ${resource.plural}/status.${resource.group}`] : [];
      const isGenerated = name === servicesResource || name === slicesResource;
      const generating = isGenerated ? ['create', 'patch', 'delete'].map((verb) => `${verb} ${name}`) : [];
      const finalizing = name === resources.gatewayClass ? [`patch ${name}`] : [];
      return [...reading, ...writing, ...generating, ...finalizing];
    });
    const telling = ['create', 'patch'].map((verb) => `${verb} ${eventsResource}`);
    expect([...allowed].sort()).toEqual([...needed, ...telling].sort());
  });

  it('starts the command with flags that there are, for its own Service and Lease', () => {
    const { spec, metadata } = find<{
      spec: { template: { spec: { containers: { args: string[] }[]; terminationGracePeriodSeconds: number } } };
    }>('Deployment');
    const [container] = spec.template.spec.containers;
    const command = new Command('gateway').exitOverride().action(() => undefined);
    defineGateway(command);
    command.action(() => undefined);
    command.parse(container!.args.slice(1), { from: 'user' });
    const flags = command.opts<{ publishService: string; drainTimeout: number }>();
    const service = objects.find(({ object }) => object.kind === 'Service' && keyOf(object) === flags.publishService);
    expect(service?.object.metadata.namespace).toBe(metadata.namespace);
    expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(flags.drainTimeout + 5);
    expect(groupOf(find('RoleBinding').apiVersion)).toBe('rbac.authorization.k8s.io');
  });
});
