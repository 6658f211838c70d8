/** `--default-ssl-certificate` for Ingresses in the dialect of Fairway. */
import { describe, expect, it } from 'vitest';
import type { TranslateOutput } from '../translate.ts';
import { inputOf, loadObjects, storeOf, translateYaml } from './test-helpers.ts';
import { translateIngress } from './translate.ts';

const ingress = (tls: string) => `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: fairway }
spec: { controller: fairway.dev/ingress }
---
apiVersion: v1
kind: Secret
metadata: { name: usual, namespace: certificates }
type: kubernetes.io/tls
data: { tls.crt: $(wild.crt), tls.key: $(wild.key) }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec:
  ingressClassName: fairway
  tls: ${tls}
  defaultBackend: { service: { name: web, port: { number: 80 } } }
`;
const usual = { ingressNginx: { defaultCertificate: 'certificates/usual' } };

const shown = ({ listeners }: TranslateOutput) =>
  Object.fromEntries(
    listeners
      .flatMap(({ tls }) => tls?.certificates ?? [])
      .map(({ serverName, certificate }) => [serverName, certificate]),
  );
const codesAboutTls = ({ diagnostics }: TranslateOutput) =>
  diagnostics.map(({ code }) => code).filter((code) => code.startsWith('FW6') || code.startsWith('FW203'));

describe('the default certificate', () => {
  it('is shown for every name that has none, and opens port 443 by itself', () => {
    const output = translateYaml(ingress('[]'), usual);
    expect(shown(output)).toEqual({ '*': 'certificates/usual' });
    expect(output.certificates.map(({ id }) => id)).toEqual(['certificates/usual']);
    expect(translateYaml(ingress('[]')).listeners.map(({ port }) => port)).toEqual([80]);
  });

  it('is that of TLS sections without a Secret', () => {
    const section = '[{ hosts: [a.example.com] }]';
    expect(codesAboutTls(translateYaml(ingress(section)))).toEqual(['FW2030']);
    expect(codesAboutTls(translateYaml(ingress(section), usual))).toEqual([]);
  });

  it('is told of when it cannot be had, and follows its Secret', () => {
    const gone = translateYaml(ingress('[]'), { ingressNginx: { defaultCertificate: 'certificates/gone' } });
    expect([shown(gone), codesAboutTls(gone)]).toEqual([{}, ['FW6001']]);
    const store = storeOf(loadObjects(ingress('[]')));
    expect(shown(translateIngress(inputOf(store, usual)))).toEqual({ '*': 'certificates/usual' });
    store.remove('secrets', 'certificates/usual');
    expect(shown(translateIngress(inputOf(store, usual)))).toEqual({});
  });
});
