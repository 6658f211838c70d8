import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../base/package-root.ts';
import type { Certificate, SniEntry } from '../../routing/plan/plan.ts';
import { createContexts } from './contexts.ts';

function certificate(id: string): Certificate {
  const read = (end: string) =>
    readFileSync(join(packageRoot, `test/golden/ingress/certificates/${id}.${end}`), 'utf8');
  return {
    id,
    chain: read('crt'),
    key: read('key'),
    source: { object: { apiVersion: 'v1', kind: 'Secret', name: id } },
  };
}

/** Which of the certificates a server name gets. */
function chooser(certificates: readonly SniEntry[]) {
  const contexts = createContexts({ report: (finding) => expect.fail(finding.message), nextPlan: () => {} });
  const all = ['shop', 'wild', 'brief'].map(certificate);
  contexts.update({
    listeners: [],
    backends: {},
    certificates: Object.fromEntries(all.map((each) => [each.id, each])),
  });
  const identities = contexts.identities({ certificates });
  const named = all.map(({ id }) => {
    const alone = contexts.identities({ certificates: [{ serverName: '*', certificate: id }] });
    return [alone.find('x'), id] as const;
  });
  return (serverName: string) => new Map(named).get(identities.find(serverName)) ?? 'refused';
}

describe('the certificate of a server name', () => {
  it('is that of the exact name, then of the star for its first label, then of all names', () => {
    const choose = chooser([
      { serverName: 'a.example.com', certificate: 'shop' },
      { serverName: '*.example.com', certificate: 'wild' },
      { serverName: '*', certificate: 'brief' },
    ]);
    expect(choose('A.example.com.')).toBe('shop');
    expect(choose('b.example.com')).toBe('wild');
    expect(choose('a.b.example.com')).toBe('brief');
    expect(choose('example.com')).toBe('brief');
  });

  it('is that of the nearest star where stars stand for more than one label', () => {
    const choose = chooser([
      { serverName: '*.b.example.com', certificate: 'shop', anyDepth: true },
      { serverName: '*.example.com', certificate: 'wild', anyDepth: true },
      { serverName: '*', certificate: 'brief' },
    ]);
    expect(choose('y.x.b.example.com')).toBe('shop');
    expect(choose('y.x.c.example.com')).toBe('wild');
    expect(choose('b.example.com')).toBe('wild');
    expect(choose('example.com')).toBe('brief');
    expect(choose('x.example.org')).toBe('brief');
  });

  it('is none for a name that nothing stands for', () => {
    expect(chooser([{ serverName: '*.example.com', certificate: 'wild' }])('a.b.example.com')).toBe('refused');
    expect(chooser([])('a.example.com')).toBe('refused');
  });
});
