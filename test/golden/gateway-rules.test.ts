/**
 * What the field documentation of the Gateway API says of precedence, conflicts, merging, attachment and failure, and
 * what shows that Fairway keeps to it: a golden case, a test of the data plane, or a validation of the CRD.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attachmentRules } from './rules/attachment.ts';
import { classRules, gatewayRules } from './rules/gateways.ts';
import { filterRules, forwardingRules, hostnameRules, matchRules } from './rules/http-routes.ts';
import { listenerRules, listenerSetRules } from './rules/listeners.ts';
import { grpcRules, streamRules } from './rules/other-routes.ts';
import { backendTlsRules, backendTrafficRules, grantRules, xBackendRules } from './rules/references.ts';
import { golden, type Rule, type Rules, type Shown } from './rules/rule.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(import.meta.dirname, 'gateway');

const tables: readonly Rules[] = [
  classRules,
  listenerRules,
  gatewayRules,
  listenerSetRules,
  attachmentRules,
  hostnameRules,
  matchRules,
  filterRules,
  forwardingRules,
  grpcRules,
  streamRules,
  grantRules,
  backendTlsRules,
  backendTrafficRules,
  xBackendRules,
];

/** Golden cases of what no field documentation says. */
const extra: Readonly<Record<string, string>> = {
  adoption: 'Gateways of other controllers, on a laptop',
  'hostname-precedence-within-a-listener': 'hostnames that are wider than that of their listener',
  'listener-isolation-of-closed-listeners': 'isolation of listeners that cannot be served',
};

const fields = tables.flatMap((table) => Object.entries(table));
const rules: readonly Rule[] = fields.flatMap(([, own]) => own);
const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.in.yaml'))
  .map((file) => file.slice(0, -'.in.yaml'.length));

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

interface Crd {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly storage: boolean; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

const crdText = readFileSync(join(root, 'data/gateway-api/v1.6.1-experimental.json'), 'utf8');
const crds = JSON.parse(crdText) as readonly Crd[];

function findField(source: string): Schema | undefined {
  const [kind, path = ''] = source.split(' ');
  const versions = crds.find(({ spec }) => spec.names.kind === kind)?.spec.versions ?? [];
  const start = versions.find(({ storage }) => storage)?.schema.openAPIV3Schema;
  return path
    .split('.')
    .reduce<Schema | undefined>((schema, name) => (schema?.items ?? schema)?.properties?.[name], start);
}

/** What is missing of what a rule is shown by. */
function missing(id: string, shown: Shown = golden(id)): string | undefined {
  if ('golden' in shown) {
    const files = ['in', 'out'].map((side) => join(folder, `${shown.golden}.${side}.yaml`));
    return files.find((file) => !existsSync(file));
  }
  if ('file' in shown) {
    const file = join(root, shown.file);
    if (!existsSync(file)) return shown.file;
    return readFileSync(file, 'utf8').includes(shown.title) ? undefined : `${shown.file}: ${shown.title}`;
  }
  if ('refused' in shown) return crdText.includes(shown.refused) ? undefined : shown.refused;
  return shown.unkept ? undefined : 'a reason';
}

describe('rules of the Gateway API', () => {
  it('have each a name of its own', () => {
    const ids = rules.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    expect(Object.keys(Object.assign({}, ...tables))).toHaveLength(fields.length);
  });

  it.each(fields)('%s: is a field', (source) => {
    expect(findField(source)).toBeDefined();
  });

  it.each(rules.map(({ id, shown }) => [id, shown] as const))('%s: is shown', (id, shown) => {
    expect(missing(id, shown)).toBeUndefined();
  });

  it('have every golden case to show them, or a word on what else it is for', () => {
    const used = new Set(rules.flatMap(({ id, shown = golden(id) }) => ('golden' in shown ? [shown.golden] : [])));
    expect(cases.filter((name) => !used.has(name) && !(name in extra))).toEqual([]);
    expect(Object.keys(extra).filter((name) => !cases.includes(name) || used.has(name))).toEqual([]);
  });
});
