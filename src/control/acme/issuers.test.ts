import { describe, expect, it } from 'vitest';
import type { ConfigMap } from '../../kube/types/index.ts';
import { type Issuer, readIssuers, solverFor } from './issuers.ts';

const map = (data: Record<string, string>): ConfigMap => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'issuers', namespace: 'fairway' }, data },
});
const read = (text: string) => {
  const { issuers, findings } = readIssuers(map({ 'issuers.yaml': text }), () => undefined);
  return {
    issuers: [...issuers.values()],
    faults: findings.map(({ fieldPath, message }) => `${fieldPath!.replace('data["issuers.yaml"]', '')}: ${message}`),
  };
};

const least = '- { name: a, server: https://acme.example/dir, termsOfServiceAgreed: true';

describe('issuers', () => {
  it('prove by HTTP-01 unless they say otherwise', () => {
    expect(read(`${least} }`)).toEqual({
      issuers: [
        {
          ...{ name: 'a', server: 'https://acme.example/dir', isDefault: false, namespaces: [] },
          solvers: [{ challenge: 'http-01', dnsZones: [], propagationMs: 0 }],
        },
      ],
      faults: [],
    });
  });

  it('say all that they can', () => {
    const { issuers, faults } = read(`
- name: a
  server: https://acme.example/dir
  email: ops@example.com
  termsOfServiceAgreed: true
  default: true
  namespaces: [shop]
  externalAccountBinding: { keyID: kid-1, secretRef: { name: eab } }
  solvers:
  - challenge: tls-alpn01
  - challenge: dns01
    dnsZones: [Example.COM.]
    propagationSeconds: 20
`);
    expect(faults).toEqual([]);
    expect(issuers).toMatchObject([
      {
        ...{ email: 'ops@example.com', isDefault: true, namespaces: ['shop'] },
        binding: { keyId: 'kid-1', secret: 'eab', secretKey: 'secret' },
        solvers: [
          { challenge: 'tls-alpn-01' },
          { challenge: 'dns-01', dnsZones: ['example.com'], propagationMs: 20_000 },
        ],
      },
    ]);
  });

  it.each([
    ['- 1', '[0]: an issuer with name and server is wanted (line 1 of issuers.yaml)'],
    [
      '- { name: a, server: https://b.example, termsOfServiceAgreed: yes please }',
      '[0].termsOfServiceAgreed: the terms',
    ],
    [
      '- { name: a, server: http://b.example, termsOfServiceAgreed: true }',
      '[0].server: "http://b.example" is not the https',
    ],
    [
      '- { name: A, server: https://b.example, termsOfServiceAgreed: true }',
      '[0].name: "A" is not a name of an object',
    ],
    [`${least}, emaill: x }`, '[0].emaill: there is no field emaill; did you mean email?'],
    [`${least}, email: x }`, '[0].email: "x" is not an address'],
    [`${least}, default: 1 }`, '[0].default: 1 is not true or false'],
    [`${least}, namespaces: shop }`, '[0].namespaces: a list of names is wanted'],
    [`${least}, solvers: [] }`, '[0].solvers: a list of solvers is wanted'],
    [
      `${least}, solvers: [{ challenge: dns }] }`,
      '[0].solvers[0].challenge: "dns" is not one of http01, dns01, tls-alpn01',
    ],
    [`${least}, solvers: [{ challenge: constructor }] }`, '[0].solvers[0].challenge: "constructor" is not one of'],
    [
      `${least}, solvers: [{ challenge: dns01, propagationSeconds: -1 }] }`,
      '[0].solvers[0].propagationSeconds: a number from 0',
    ],
    [
      `${least}, solvers: [{ challenge: http01, propagationSeconds: 1 }] }`,
      '[0].solvers[0].propagationSeconds: it means nothing',
    ],
    [`${least}, caBundle: x }`, '[0].caBundle: certificates in PEM are wanted'],
    [
      `${least}, externalAccountBinding: { keyID: k } }`,
      '[0].externalAccountBinding.secretRef: name and key of a Secret',
    ],
    [`${least} }\n${least} }`, '[1].name: there is an issuer a already (line 2 of issuers.yaml)'],
    ['a: 1', ': a list of at most 100 issuers is wanted'],
    ['- {', ': '],
  ])('are refused where they are %s', (text, fault) => {
    const { issuers, faults } = read(text);
    expect(faults.some((each) => each.startsWith(fault))).toBe(true);
    expect(issuers.length).toBe(text.includes('\n-') ? 1 : 0);
  });

  it('work beside one that does not', () => {
    const { issuers, faults } = read(`${least} }\n- { name: b }`);
    expect(issuers.map(({ name }) => name)).toEqual(['a']);
    expect(faults).toHaveLength(2);
  });

  it('have to be under their key', () => {
    const { findings } = readIssuers(map({ other: '' }), () => ({ file: 'a.yaml', line: 3, column: 1 }));
    expect(findings).toMatchObject([{ code: 'FW6020', position: { file: 'a.yaml', line: 3 } }]);
  });
});

describe('a name', () => {
  const zones = (challenge: string, dnsZones: string) => `{ challenge: ${challenge}, dnsZones: [${dnsZones}] }`;
  const issuer = read(`${least}, solvers: [
    { challenge: http01 },
    ${zones('tls-alpn01', 'example.com')},
    ${zones('dns01', 'b.example.com, example.net')} ] }`).issuers[0] as Issuer;

  it.each([
    ['a.example.org', 'http-01'],
    ['example.com', 'tls-alpn-01'],
    ['a.example.com', 'tls-alpn-01'],
    ['notexample.com', 'http-01'],
    ['a.b.example.com', 'dns-01'],
    ['*.example.net', 'dns-01'],
    ['*.example.com', undefined],
  ])('%s is proved by the solver of the longest zone: %s', (name, challenge) => {
    expect(solverFor(issuer, name)?.challenge).toBe(challenge);
  });
});
