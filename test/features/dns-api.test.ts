/** `fairway dns` against a Kubernetes API: the kubernetes plugin serves what the API of a running front door holds. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { openApiSource } from '../../src/dns/objects/api-source.ts';
import { type CorefileServer, createCorefileServer } from '../../src/dns/server/corefile-server.ts';
import { askDns } from '../support/dns.ts';
import { canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';

const address = '127.81.9.1';
const server = { address, port: 1053 };

describe.skipIf(!canBind)('fairway dns with an API server', () => {
  let door: TestDoor;
  let dns: CorefileServer;
  let folder: string;
  const problems: string[] = [];

  beforeAll(async () => {
    door = await openDoor(22, { paths: [join(packageRoot, 'examples/front-door')] });
    folder = mkdtempSync(join(tmpdir(), 'dns-api-'));
    const file = join(folder, 'Corefile');
    writeFileSync(
      file,
      `.:1053 {\n bind ${address}\n kubernetes cluster.local in-addr.arpa ip6.arpa {\n  endpoint ${door.summary.api}\n  pods verified\n }\n}\n`,
    );
    dns = createCorefileServer({
      file,
      defaultPort: 1053,
      openObjects: (access) => openApiSource(access, { onError: (message) => problems.push(message) }),
      log: (_level, line) => problems.push(line),
      onFatal: (reason) => problems.push(reason),
    });
    const started = await dns.start();
    if (!started.ok) throw new Error(started.error);
  });
  afterAll(async () => {
    await dns.stop();
    await door.close(0);
    rmSync(folder, { recursive: true });
  });

  it('answers what the API holds, from the first query on', async () => {
    const service = door.summary.services.find(({ name }) => name === 'api-v1')!;
    expect((await askDns(server, 'api-v1.default.svc.cluster.local')).data('A')).toEqual([service.clusterIP]);
    expect((await askDns(server, 'mysql.default.svc.cluster.local')).data('A')).toHaveLength(2);
    expect((await askDns(server, 'nothing.default.svc.cluster.local')).rcode).toBe('NXDOMAIN');
  });

  it('follows a Service that is made and deleted through the API', async () => {
    const path = `${door.summary.api}/api/v1/namespaces/default/services`;
    const body = JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'fresh' } },
      spec: { ports: [{ port: 80 }] },
    });
    const made = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(made.status).toBe(201);
    const fresh = () => askDns(server, 'fresh.default.svc.cluster.local');
    await eventually(fresh, (reply) => reply.data('A').length === 1);
    await fetch(`${path}/fresh`, { method: 'DELETE' });
    await eventually(fresh, (reply) => reply.rcode === 'NXDOMAIN');
    expect(problems).toEqual([]);
  });
});
