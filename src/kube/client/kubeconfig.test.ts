import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientConfig } from './config.ts';
import { findClientConfig, inClusterConfig, loadKubeconfig } from './kubeconfig.ts';

const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const base64 = (text: string) => Buffer.from(text).toString('base64');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(text: string): string {
  const path = join(folder, `config-${files++}`);
  writeFileSync(path, text);
  return path;
}

/** A kubeconfig with one cluster, user and context; the arguments are the lines of the cluster and the user. */
const kubeconfig = (cluster: string, user = '    token: t') => `apiVersion: v1
kind: Config
clusters:
- name: c
  cluster:
${cluster}
users:
- name: u
  user:
${user}
contexts:
- name: x
  context: {cluster: c, user: u, namespace: shop}
current-context: x
`;

const server = '    server: https://10.0.0.1:6443';

function load(text: string): ClientConfig {
  const config = loadKubeconfig({ files: [file(text)] });
  if (!config.ok) throw new Error(config.error.message);
  return config.value;
}

function faultOf(text: string) {
  const config = loadKubeconfig({ files: [file(text)] });
  if (config.ok) throw new Error('no fault');
  const { message, line, field } = config.error;
  return { message: message.slice(message.indexOf(': ') + 2), line, field };
}

describe('a kubeconfig', () => {
  it('leads from the context to server, certificates and token', () => {
    const config = load(
      kubeconfig(
        `${server}\n    certificate-authority-data: ${base64(pem)}\n    tls-server-name: kubernetes`,
        `    client-certificate: pki/me.crt\n    client-key-data: ${base64(pem)}`,
      ),
    );
    expect(config).toMatchObject({
      server: 'https://10.0.0.1:6443',
      namespace: 'shop',
      tls: {
        ca: { text: pem },
        serverName: 'kubernetes',
        insecure: false,
        certificate: { cert: { file: join(folder, 'pki/me.crt') }, key: { text: pem } },
      },
      user: {},
    });
    expect(config.source).toMatch(/config-\d+ \(context x\)$/);
  });

  it('knows every way to say who one is', () => {
    const user = (lines: string) => load(kubeconfig(server, lines)).user;
    expect(user('    token: secret')).toEqual({ token: { text: 'secret' } });
    expect(user('    token: secret\n    tokenFile: /run/token')).toEqual({ token: { file: '/run/token' } });
    expect(user('    username: me\n    password: pw')).toEqual({ basic: { username: 'me', password: 'pw' } });
    expect(user('    as: jane\n    as-groups: [a, b]\n    as-user-extra: {scopes: [view]}')).toEqual({
      impersonate: { user: 'jane', groups: ['a', 'b'], extra: { scopes: ['view'] } },
    });
    const exec = `    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ./login
      args: [get-token]
      env: [{name: REGION, value: north}]
      interactiveMode: IfAvailable
      provideClusterInfo: true
      installHint: install it`;
    expect(user(exec)).toEqual({
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: join(folder, 'login'),
        args: ['get-token'],
        env: { REGION: 'north' },
        interactiveMode: 'IfAvailable',
        provideClusterInfo: true,
        installHint: 'install it',
      },
    });
  });

  it.each<[string, string, string, number | undefined, string]>([
    [
      'a proxy',
      kubeconfig(`${server}\n    proxy-url: http://p:1`),
      'clusters[0].cluster.proxy-url',
      7,
      'is not supported',
    ],
    ['no server', kubeconfig('    tls-server-name: a'), 'clusters[0].cluster.server', 5, 'is missing'],
    ['no URL', kubeconfig('    server: 10.0.0.1'), 'clusters[0].cluster.server', 6, 'is no http or https URL'],
    [
      'base64 of something else',
      kubeconfig(`${server}\n    certificate-authority-data: aGk=`),
      'clusters[0].cluster.certificate-authority-data',
      7,
      'is not PEM',
    ],
    [
      'both CA and no verification',
      kubeconfig(`${server}\n    certificate-authority: a\n    insecure-skip-tls-verify: true`),
      'clusters[0].cluster.insecure-skip-tls-verify',
      8,
      'goes against',
    ],
    ['a token of another type', kubeconfig(server, '    token: 12'), 'users[0].user.token', 10, 'must be a string'],
    [
      'a certificate without key',
      kubeconfig(server, '    client-certificate: a'),
      'users[0].user.client-certificate',
      10,
      'has no client-key',
    ],
    [
      'a legacy plugin',
      kubeconfig(server, '    auth-provider: {name: gcp}'),
      'users[0].user.auth-provider',
      10,
      'use exec',
    ],
    [
      'an old exec version',
      kubeconfig(server, '    exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: a}'),
      'users[0].user.exec.apiVersion',
      10,
      'must be one of',
    ],
    [
      'exec v1 without a mode',
      kubeconfig(server, '    exec: {apiVersion: client.authentication.k8s.io/v1, command: a}'),
      'users[0].user.exec.interactiveMode',
      10,
      'must be one of',
    ],
    ['groups without a user', kubeconfig(server, '    as-groups: [a]'), 'users[0].user.as', 9, 'is missing'],
  ])('says where the fault is: %s', (_, text, field, line, says) => {
    const fault = faultOf(text);
    expect(fault).toMatchObject({ field, line });
    expect(fault.message).toContain(says);
  });

  it('says what there is when a name leads nowhere', () => {
    const path = file(kubeconfig(server));
    const config = loadKubeconfig({ files: [path], context: 'y' });
    expect(config).toMatchObject({ ok: false, error: { message: `${path}: the context y is not there; contexts: x` } });
  });

  it('never throws, whatever the text', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.tuple(fc.nat(400), fc.string({ maxLength: 20 })).map(([at, insert]) => {
        const whole = kubeconfig(`${server}\n    certificate-authority: a`);
        return whole.slice(0, at) + insert + whole.slice(at + insert.length);
      }),
    );
    const path = file('');
    fc.assert(
      fc.property(text, (given) => {
        writeFileSync(path, given);
        const config = loadKubeconfig({ files: [path] });
        expect(config.ok || config.error.message.length > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('several kubeconfigs', () => {
  it('are one: the first to name something wins, and files that are missing do not matter', () => {
    const first = file('contexts:\n- {name: x, context: {cluster: c, user: u}}\ncurrent-context: x\n');
    const second = file(kubeconfig(server));
    const KUBECONFIG = [join(folder, 'missing'), first, second].join(':');
    const config = findClientConfig({ env: { KUBECONFIG } });
    expect(config).toMatchObject({
      ok: true,
      value: { server: 'https://10.0.0.1:6443', namespace: 'default', user: { token: { text: 't' } } },
    });
  });

  it('a server named beside a context goes before that of its cluster', () => {
    const config = findClientConfig({ kubeconfig: file(kubeconfig(server)), server: 'https://127.0.0.1:1' });
    expect(config).toMatchObject({
      ok: true,
      value: { server: 'https://127.0.0.1:1', user: { token: { text: 't' } } },
    });
  });
});

describe('in a cluster', () => {
  it('the service account and the environment tell all', () => {
    for (const [name, text] of Object.entries({ token: 'tok', 'ca.crt': pem, namespace: 'kube-system\n' }))
      writeFileSync(join(folder, name), text);
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    expect(findClientConfig({ env, serviceAccountFolder: folder })).toEqual({
      ok: true,
      value: {
        server: 'https://[fd00::1]:443',
        namespace: 'kube-system',
        tls: { insecure: false, ca: { file: join(folder, 'ca.crt') } },
        user: { token: { file: join(folder, 'token') } },
        source: 'in-cluster',
      },
    });
  });

  it('says what is missing', () => {
    expect(inClusterConfig({})).toMatchObject({ ok: false });
    const odd = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: 'https' };
    expect(inClusterConfig(odd)).toMatchObject({ error: { message: expect.stringContaining('make no URL') } });
    const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
    expect(inClusterConfig(env, join(folder, 'nowhere'))).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('no service account token') },
    });
  });
});
