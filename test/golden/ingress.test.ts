/**
 * Golden pairs: manifests in; plan, statuses and findings out, in a form that a person can review.
 * UPDATE_GOLDEN=1 writes the results anew: read the difference before you commit it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Diagnostic, formatDiagnostic } from '../../src/base/diagnostics/index.ts';
import { describeFilter } from '../../src/insight/explain/describe.ts';
import { writeYaml } from '../../src/kube/manifests/yaml.ts';
import { keyOf } from '../../src/kube/resources.ts';
import { inputOf, loadObjects, storeOf } from '../../src/routing/ingress/test-helpers.ts';
import { translateIngress } from '../../src/routing/ingress/translate.ts';
import type { Action, Listener, Route, WeightedBackend } from '../../src/routing/plan/plan.ts';
import type { StatusUpdate, TranslateOutput } from '../../src/routing/translate.ts';

const folder = join(import.meta.dirname, 'ingress');
const cases = readdirSync(folder)
  .filter((name) => name.endsWith('.in.yaml'))
  .map((name) => name.replace('.in.yaml', ''));

function describeBackend({ backend, invalid }: WeightedBackend): string {
  return backend ?? `${invalid?.status} (${invalid?.reason})`;
}

const describeAction: { [Type in Action['type']]: (action: Action & { type: Type }) => string } = {
  forward: ({ backends }) => backends.map(describeBackend).join(' + '),
  redirect: ({ status }) => `redirect ${status}`,
  respond: ({ status, reason }) => `${status} (${reason})`,
};

function describeRoute({ id, match, filters, action, timeouts, retry }: Route): string {
  const path = match.path ? `${match.path.type} ${match.path.value}` : 'anything';
  const more = [
    ...filters.map(describeFilter),
    ...(timeouts ? [`timeouts: ${JSON.stringify(timeouts)}`] : []),
    ...(retry ? [`retry: ${JSON.stringify(retry)}`] : []),
  ];
  return [`${path} → ${describeAction[action.type](action as never)} [${id}]`, ...more].join('; ');
}

function describeListener({ id, tls, hosts }: Listener): unknown {
  return {
    id,
    ...(tls && { tls: Object.fromEntries(tls.certificates.map((each) => [each.serverName, each.certificate])) }),
    hosts: Object.fromEntries(hosts.map(({ hostname, routes }) => [hostname, routes.map(describeRoute)])),
  };
}

function describeStatus(update: StatusUpdate, stored: unknown): unknown {
  const { namespace, name } = update.ref;
  const status = update.build({ metadata: {}, status: stored }, { listener: () => undefined });
  return { [`${namespace}/${name}`]: status };
}

function describeDiagnostic(finding: Diagnostic): unknown {
  return { finding: formatDiagnostic(finding), hint: finding.hint };
}

function describeOutput(output: TranslateOutput, statuses: ReadonlyMap<string, unknown>): unknown {
  return {
    listeners: output.listeners.map(describeListener),
    backends: output.backends.map(({ id, protocol }) => `${id} ${protocol}`),
    certificates: output.certificates.map(({ id }) => id),
    statuses: output.statuses.map((update) => describeStatus(update, statuses.get(keyOf({ metadata: update.ref })))),
    diagnostics: output.diagnostics.map(describeDiagnostic),
  };
}

describe('ingress', () => {
  it('has golden cases', () => {
    expect(cases.length).toBeGreaterThanOrEqual(8);
  });

  it.each(cases)('%s', (name) => {
    const text = readFileSync(join(folder, `${name}.in.yaml`), 'utf8');
    const store = storeOf(loadObjects(text));
    const ingresses = store.list<{ status?: unknown } & ReturnType<typeof loadObjects>[number]>(
      'ingresses.networking.k8s.io',
    );
    const statuses = new Map(ingresses.map((object) => [keyOf(object), object.status]));
    const output = translateIngress(inputOf(store, { adopt: text.startsWith('# adopt') }));
    const described = writeYaml(describeOutput(output, statuses));
    const file = join(folder, `${name}.out.yaml`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, described);
    expect(existsSync(file) ? readFileSync(file, 'utf8') : 'missing: run with UPDATE_GOLDEN=1').toBe(described);
  });
});
