/** Bad input and a hostile machine: each gets a message with a code, nothing else stops working. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clusterConfigOf } from '../../src/local/config.ts';
import { askDns } from '../support/dns.ts';
import { ask, canBind, openDoor, type TestDoor } from '../support/door.ts';

const good = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: example.com/web:1, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: fairway
  rules:
    - host: web.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
`;

describe.skipIf(!canBind)('bad input', () => {
  let folder: string;
  let door: TestDoor | undefined;
  const taken: Server[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bad-'));
    writeFileSync(join(folder, 'good.yaml'), good);
  });
  afterEach(async () => {
    await door?.close(0);
    door = undefined;
    for (const server of taken.splice(0)) await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  const open = async (text?: string, name = 'bad.yaml') => {
    if (text !== undefined) writeFileSync(join(folder, name), text);
    door = await openDoor(3, { paths: [folder] });
    return door;
  };
  const codes = (of: TestDoor) => of.summary.diagnostics.map(({ code }) => code);
  const webAnswers = async (of: TestDoor) =>
    (await ask({ address: of.config.ingressAddress, host: 'web.example.com' })).status;

  it('a YAML bomb, a broken file, a document that is no object', async () => {
    const levels = Array.from(
      { length: 10 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(',')}]`,
    ).join('\n');
    writeFileSync(
      join(folder, 'bomb.yaml'),
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\nl0: &l0 [x,x]\n${levels}\n`,
    );
    writeFileSync(join(folder, 'broken.yaml'), 'kind: [\n');
    const opened = await open('just: text\n');
    expect(codes(opened)).toEqual(expect.arrayContaining(['FW1008', 'FW1001', 'FW1009']));
    expect(await webAnswers(opened)).toBe(200);
  });

  it('a 50 MB file', async () => {
    writeFileSync(join(folder, 'huge.yaml'), Buffer.alloc(50_000_000, '# nothing to see here\n'));
    const opened = await open();
    expect(codes(opened)).toContain('FW1004');
    expect(await webAnswers(opened)).toBe(200);
  });

  it('an invalid object among good ones, with its place', async () => {
    const opened = await open(
      'apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec:\n  ports:\n    - port: 70000\n',
    );
    expect(opened.summary.diagnostics).toContainEqual(
      expect.objectContaining({
        code: 'FW1003',
        fieldPath: 'spec.ports[0].port',
        position: { file: join(folder, 'bad.yaml'), line: 6, column: 7 },
        object: expect.objectContaining({ name: 'bad' }),
      }),
    );
    expect(await webAnswers(opened)).toBe(200);
  });

  it('ExternalNames in a circle', async () => {
    const external = (name: string, target: string) =>
      `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {type: ExternalName, externalName: ${target}.default.svc.cluster.local}\n`;
    const opened = await open(`${external('a', 'b')}---\n${external('b', 'a')}`);
    expect(codes(opened).some((code) => code.startsWith('FW40'))).toBe(true);
    const reply = await askDns(opened.summary.dns[0]!, 'a.default.svc.cluster.local');
    expect(reply.data('A')).toEqual([]);
  });

  const route = (backend: string) => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {gatewayClassName: fairway, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: ${backend}, port: 80}]}]}
`;

  it('a route to nowhere answers 500, with a finding that names the field', async () => {
    const opened = await open(route('nowhere'));
    expect((await ask({ address: opened.summary.gateways[0]!.addresses[0]!, host: 'x.example.com' })).status).toBe(500);
    expect(opened.summary.diagnostics).toContainEqual(
      expect.objectContaining({
        object: expect.objectContaining({ kind: 'HTTPRoute', name: 'r' }),
        fieldPath: expect.stringContaining('backendRefs[0]'),
      }),
    );
    expect(await webAnswers(opened)).toBe(200);
  });

  it('a Service without endpoints answers 503', async () => {
    const opened = await open(
      `apiVersion: v1\nkind: Service\nmetadata: {name: empty}\nspec: {selector: {app: nobody}, ports: [{port: 80}]}\n---${route('empty')}`,
    );
    expect((await ask({ address: opened.summary.gateways[0]!.addresses[0]!, host: 'x.example.com' })).status).toBe(503);
  });

  it('two Ingresses that claim one path: the older keeps it, the other is told', async () => {
    const opened = await open(
      good.slice(good.indexOf('apiVersion: networking')).replace('{name: web}', '{name: zweb}'),
      'zweb.yaml',
    );
    expect(opened.summary.diagnostics).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        object: expect.objectContaining({ kind: 'Ingress' }),
        message: expect.stringContaining('web'),
      }),
    );
    expect(await webAnswers(opened)).toBe(200);
  });

  it('a Secret that is no certificate', async () => {
    const secret =
      'apiVersion: v1\nkind: Secret\nmetadata: {name: no-cert}\ntype: kubernetes.io/tls\ndata: {tls.crt: bm90aGluZw==, tls.key: bm90aGluZw==}\n';
    const opened = await open(
      `${secret}---\n${good.slice(good.indexOf('apiVersion: networking')).replace('{name: web}', '{name: tls}').replace('rules:', 'tls: [{hosts: [web.example.com], secretName: no-cert}]\n  rules:').replace('path: /,', 'path: /tls,')}`,
    );
    expect(codes(opened).some((code) => code.startsWith('FW6'))).toBe(true);
    expect(await webAnswers(opened)).toBe(200);
  });

  it('an empty folder and a missing path', async () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    door = await openDoor(3, { paths: [empty, join(folder, 'missing')] });
    expect(codes(door)).toEqual(expect.arrayContaining(['FW1006', 'FW1005']));
    await expect(openDoor(3, { paths: [join(folder, 'missing')] })).rejects.toThrow('none of the paths can be read');
  });

  it('ports that are taken: the rest serves, and the finding names the address', async () => {
    const { ingressAddress } = clusterConfigOf(3);
    const server = createServer();
    taken.push(server);
    await new Promise<void>((resolve) => server.listen(80, ingressAddress, resolve));
    writeFileSync(join(folder, 'gateway.yaml'), route('web'));
    const opened = await open();
    expect(opened.summary.diagnostics).toContainEqual(
      expect.objectContaining({ severity: 'error', message: expect.stringContaining(`${ingressAddress}:80`) }),
    );
    expect((await ask({ address: opened.summary.gateways[0]!.addresses[0]!, host: 'x' })).status).toBe(200);
  });

  it('a state folder that cannot be written to costs the kubeconfig, and nothing else', async () => {
    const file = join(folder, 'no-folder');
    writeFileSync(file, 'a file\n');
    writeFileSync(join(folder, 'good.yaml'), good);
    door = await openDoor(3, { paths: [join(folder, 'good.yaml')], stateFolder: file });
    const told = door.summary.diagnostics.filter(({ message }) => message.startsWith('no kubeconfig was written: '));
    expect(told.map(({ code, severity }) => `${severity} ${code}`)).toEqual(['warning FW1010']);
    expect((await fetch(`${door.summary.api}/readyz`)).status).toBe(200);
  });
});
