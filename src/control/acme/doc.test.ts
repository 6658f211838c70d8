/** docs/certificates.md and deploy/acme.yaml say what the code does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { certificateRules } from '../../base/diagnostics/certificates.ts';
import { packageRoot } from '../../base/package-root.ts';
import { rowsBelow } from '../../base/testing/doc-table.ts';
import { parseManifest } from '../../kube/manifests/parse.ts';
import type { ConfigMap, Ingress, Unstructured } from '../../kube/types/index.ts';
import { issuerFields, readIssuers } from './issuers.ts';
import { challengesName } from './names.ts';
import { wantedCertificates } from './wanted.ts';

const page = readFileSync(join(packageRoot, 'docs/certificates.md'), 'utf8');

describe('docs/certificates.md', () => {
  it('lists the fields of issuers', () => {
    const documented = rowsBelow(page, 'field', 'default', 'says').map(([field]) => field!.replaceAll('`', ''));
    expect(documented.sort()).toEqual([...issuerFields].sort());
  });

  it('has findings that there are, with their severity', () => {
    const rows = rowsBelow(page, 'code', 'finding', 'served all the same');
    for (const [codes, , served] of rows)
      for (const code of codes!.split(', ')) {
        const { severity } = certificateRules[code as keyof typeof certificateRules];
        expect(`${code} ${severity === 'error' ? 'no' : 'yes'}`).toBe(
          `${code} ${served!.slice(0, 3).replace(/\W/g, '')}`,
        );
      }
    expect(rows.length).toBeGreaterThan(5);
    const named = [...page.matchAll(/FW6\d{3}/g)].map(([code]) => code);
    expect(named.filter((code) => !(code in certificateRules))).toEqual([]);
  });

  it('has an example that asks for a certificate', () => {
    const [, text] = /```yaml\n([\s\S]*?)```/.exec(page)!;
    const { objects, diagnostics } = parseManifest('example.yaml', text!);
    expect(diagnostics).toEqual([]);
    const find = (kind: string) => objects.find(({ object }) => object.kind === kind)!.object;
    const { issuers, findings } = readIssuers(find('ConfigMap') as unknown as ConfigMap, () => undefined);
    expect(findings).toEqual([]);
    const ingresses = [find('Ingress') as unknown as Ingress];
    const wanted = wantedCertificates({ ingresses, gateways: [], issuers, position: () => undefined });
    expect(wanted.findings).toEqual([]);
    expect(wanted.certificates).toMatchObject([
      { key: 'shop/shop-tls', names: ['*.wild.example.com', 'shop.example.com'] },
    ]);
  });
});

describe('deploy/acme.yaml', () => {
  it('is read without a complaint, and has the ConfigMap of challenges', () => {
    const file = join(packageRoot, 'deploy/acme.yaml');
    const { objects, diagnostics } = parseManifest(file, readFileSync(file, 'utf8'));
    expect(diagnostics).toEqual([]);
    const rules = objects.flatMap(({ object }) => (object as Unstructured)['rules'] ?? []) as {
      resourceNames?: string[];
    }[];
    expect(rules.flatMap(({ resourceNames = [] }) => resourceNames)).toEqual([challengesName]);
  });
});
