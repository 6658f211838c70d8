/** The DaemonSet for a cluster, read as `fairway` reads manifests, and run in parts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../base/package-root.ts';
import { ok } from '../../base/result.ts';
import { parseManifest } from '../../kube/manifests/parse.ts';
import { parseCorefile } from '../corefile/parse.ts';
import { checkDirective } from '../plugins/order.ts';
import { noKubeDnsConfig } from './configmap.ts';
import { parseNodeCacheCommand } from './settings.ts';
import { fillTemplate } from './template.ts';

describe('deploy/node-cache.yaml', () => {
  const file = join(packageRoot, 'deploy/node-cache.yaml');
  const { objects, diagnostics } = parseManifest(file, readFileSync(file, 'utf8'));
  const find = (kind: string) => objects.find(({ object }) => object.kind === kind)!.object;

  it('is read without a complaint', () => {
    expect(diagnostics).toEqual([]);
    expect(objects.map(({ object }) => object.kind)).toEqual([
      ...['ServiceAccount', 'Service', 'ConfigMap', 'DaemonSet', 'Service'],
    ]);
  });

  it('has arguments that are understood, and a template that makes a Corefile', () => {
    const { spec } = find('DaemonSet') as unknown as {
      spec: { template: { spec: { containers: { args: string[] }[] } } };
    };
    const [command, ...words] = spec.template.spec.containers[0]!.args;
    const parsed = parseNodeCacheCommand(words);
    expect([command, parsed.ok && parsed.value.kind]).toEqual(['node-cache', 'run']);
    const { data } = find('ConfigMap') as unknown as { data: { Corefile: string } };
    const filled = fillTemplate(data.Corefile, {
      ...{ localIps: ['169.254.20.10', '10.96.0.10'], dnsPort: 53, prometheusAddress: ':9253' },
      ...{ clusterDns: ok('10.96.0.99'), config: noKubeDnsConfig },
    });
    if (!filled.ok) throw new Error(filled.error);
    expect(filled.value.unknown).toEqual([]);
    const corefile = parseCorefile(filled.value.text, { file: 'Corefile', checkDirective });
    expect(corefile.ok && corefile.value.blocks).toHaveLength(3);
  });
});
