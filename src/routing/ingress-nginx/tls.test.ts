/** What port 443 shows for hosts of ingress-nginx, and what goes past it. */
import { describe, expect, it } from 'vitest';
import { loadObjects } from '../ingress/test-helpers.ts';
import type { Certificate } from '../plan/plan.ts';
import type { TranslateInput, TranslateOutput } from '../translate.ts';
import { nginxIngress, services, translateNginx } from './testing.ts';

const host = 'shop.example.com';
const secretYaml = (name: string, chain: string, key: string) => `---
apiVersion: v1
kind: Secret
metadata: { name: ${name} }
type: kubernetes.io/tls
data: { tls.crt: $(${chain}), tls.key: $(${key}) }
`;
const secrets = loadObjects(
  secretYaml('shop', 'shop.crt+middle.crt', 'shop.key') + secretYaml('wild', 'wild.crt', 'wild.key'),
);
const selfSigned: Certificate = { id: 'self-signed', chain: '', key: '', source: { object: { apiVersion: '', kind: '', name: '' } } }; // biome-ignore format: one line

const translate = (objects: readonly object[], changes: Partial<TranslateInput> = {}) =>
  translateNginx([...services('web', 'two'), ...secrets, ...objects], { selfSigned: () => selfSigned, ...changes });

const web = (name: string, age: number, tls: readonly object[] | undefined, hosts: readonly string[] = [host]) =>
  nginxIngress(
    name,
    hosts.map((each) => [each, 'Prefix', `/${name}`, 'web'] as const),
    { age, ...(tls && { spec: { tls } }) },
  );

/** Certificates by server name. */
function shown({ listeners }: TranslateOutput): Record<string, string> {
  const listener = listeners.find(({ port }) => port === 443);
  return Object.fromEntries((listener?.tls?.certificates ?? []).map((each) => [each.serverName, each.certificate]));
}
const codes = ({ diagnostics }: TranslateOutput) => diagnostics.map(({ code }) => code);

describe('certificates', () => {
  it('of the section that lists the host, and the default one for all other names', () => {
    const output = translate([web('a', 1, [{ hosts: [host], secretName: 'shop' }])]);
    expect(shown(output)).toEqual({ [host]: 'default/shop', '*': 'self-signed' });
    expect(output.certificates.map(({ id }) => id)).toEqual(['default/shop', 'self-signed']);
    expect(codes(output)).toEqual([]);
  });

  it('every host answers on port 443 without any', () => {
    const output = translate([web('a', 1, undefined)]);
    expect(shown(output)).toEqual({ '*': 'self-signed' });
    expect(output.listeners[1]!.hosts).toBe(output.listeners[0]!.hosts);
  });

  it('the oldest Ingress with a TLS section decides for a host, also over namespaces', () => {
    const late = web('late', 2, [{ hosts: [host], secretName: 'wild' }]);
    const output = translate([
      late,
      web('none', 0, undefined),
      web('early', 1, [{ hosts: [host], secretName: 'shop' }]),
    ]);
    expect(shown(output)[host]).toBe('default/shop');
    expect(output.diagnostics).toMatchObject([{ code: 'FW2031', object: { name: 'late' } }]);
  });

  it('of a section that lists other hosts, where it covers the host', () => {
    const output = translate([web('a', 1, [{ hosts: ['x.example'], secretName: 'gone' }, { secretName: 'shop' }])]);
    expect(shown(output)[host]).toBe('default/shop');
  });

  it('the default one where the Secret is missing, or for other names, which is said', () => {
    const missing = translate([web('a', 1, [{ hosts: [host], secretName: 'gone' }])]);
    expect([shown(missing), codes(missing)]).toEqual([{ [host]: 'self-signed', '*': 'self-signed' }, ['FW6001']]);
    const other = translate([web('a', 1, [{ hosts: ['a.b.example'], secretName: 'shop' }], ['a.b.example'])]);
    expect([shown(other)['a.b.example'], codes(other)]).toEqual(['self-signed', ['FW6009']]);
  });

  it('of --default-ssl-certificate, where that is given', () => {
    const output = translate([web('a', 1, [{ hosts: [host] }])], { ingressNginx: { defaultCertificate: 'default/wild' } }); // biome-ignore format: one line
    expect(shown(output)).toEqual({ [host]: 'default/wild', '*': 'default/wild' });
    const gone = translate([web('a', 1, undefined)], { ingressNginx: { defaultCertificate: 'default/gone' } });
    expect([shown(gone), codes(gone)]).toEqual([{ '*': 'self-signed' }, ['FW6001']]);
  });

  it('of hosts of Fairway stand beside them', () => {
    const own = nginxIngress('own', [['own.example', 'Prefix', '/', 'web']], {
      class: 'fairway',
      spec: { ingressClassName: 'fairway', tls: [{ hosts: ['own.example'], secretName: 'wild' }] },
    });
    const fairway = loadObjects('{ apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: { name: fairway }, spec: { controller: fairway.dev/ingress } }'); // biome-ignore format: one line
    const output = translate([...fairway, own, web('a', 1, [{ hosts: [host], secretName: 'shop' }])]);
    expect(shown(output)).toEqual({ 'own.example': 'default/wild', [host]: 'default/shop', '*': 'self-signed' });
    expect(shown(translate([...fairway, own]))).toEqual({ 'own.example': 'default/wild' });
  });

  it('of the host for its aliases and its www name, where it covers these', () => {
    const annotations = { 'server-alias': 'store.example.com, shop.example.org', 'from-to-www-redirect': 'true' };
    const spec = { tls: [{ hosts: [host], secretName: 'wild' }] };
    const output = translate([nginxIngress('a', [[host, 'Prefix', '/', 'web']], { spec, annotations })]);
    expect(shown(output)).toEqual({ [host]: 'default/wild', 'store.example.com': 'default/wild', '*': 'self-signed' });
  });

  it('clients are asked for theirs by host, aliases included', () => {
    const ca = loadObjects('{ apiVersion: v1, kind: Secret, metadata: { name: ca }, data: { ca.crt: $(root.crt) } }');
    const guarded = nginxIngress('guarded', [[host, 'Prefix', '/', 'web']], {
      annotations: { 'auth-tls-secret': 'default/ca', 'server-alias': 'alias.example', 'force-ssl-redirect': 'true' },
    });
    const output = translate([...ca, guarded, web('a', 1, undefined, ['open.example'])]);
    const { certificates } = output.listeners.find(({ port }) => port === 443)!.tls!;
    const asked = certificates.filter(({ clientValidation }) => clientValidation).map(({ serverName }) => serverName);
    expect(asked).toEqual(['alias.example', host]);
    expect(codes(output)).toEqual([]);
  });
});

describe('ssl-passthrough', () => {
  const passed = (annotations: Record<string, string> = { 'ssl-passthrough': 'true' }) =>
    nginxIngress('passed', [[host, 'Prefix', '/', 'two']], { annotations });

  it('hands TLS of the host to the backend of / as it comes, and the rest to HTTPS', () => {
    const output = translate([passed(), web('a', 1, undefined, ['a.example'])], { ingressNginx: { sslPassthrough: true } }); // biome-ignore format: one line
    expect(output.streams).toMatchObject([
      {
        port: 443,
        protocol: 'TLS',
        routes: [
          { serverName: host, tls: 'passthrough', backends: [{ weight: 1, backend: 'default/two:80/passthrough' }] },
          { serverName: '*', tls: 'handover', backends: [] },
        ],
      },
    ]);
    expect(output.backends.find(({ id }) => id.endsWith('/passthrough'))).toMatchObject({ protocol: 'tcp', port: 80 });
    // Over port 80 the backend is spoken to over TLS, as it speaks nothing else.
    expect(output.backends.filter(({ protocol }) => protocol === 'https')).toHaveLength(1);
  });

  it.each<Record<string, string>>([{}, { 'backend-protocol': 'GRPCS' }])(
    'has its canary spoken to over port 80 as the main backend is: %j',
    (more) => {
      const canary = nginxIngress('next', [[host, 'Prefix', '/', 'web']], {
        annotations: { canary: 'true', 'canary-weight': '50' },
      });
      const main = passed({ 'ssl-passthrough': 'true', 'ssl-redirect': 'false', ...more });
      const { backends } = translate([main, canary], { ingressNginx: { sslPassthrough: true } });
      const spoken = (service: string) =>
        backends
          .filter((backend) => backend.service === service && backend.protocol !== 'tcp')
          .map(({ protocol, tls }) => ({ protocol, tls: tls !== undefined }));
      expect(spoken('web')).toEqual([{ protocol: 'backend-protocol' in more ? 'h2' : 'https', tls: true }]);
      expect(spoken('web')).toEqual(spoken('two'));
    },
  );

  it('is for those who let it, and for paths /', () => {
    const off = translate([passed()]);
    expect([off.streams, codes(off)]).toEqual([undefined, ['FW5503']]);
    const deep = nginxIngress('deep', [[host, 'Prefix', '/deep', 'two']], {
      annotations: { 'ssl-passthrough': 'true' },
    });
    const none = translate([deep], { ingressNginx: { sslPassthrough: true } });
    expect([none.streams, codes(none)]).toEqual([undefined, ['FW5503']]);
  });
});
