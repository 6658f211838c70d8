/** What a user asks DNS, with dig as the client: records of the specification, other names, both transports. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { createAsker } from '../../src/insight/ask.ts';
import { lookup } from '../../src/insight/lookup/lookup.ts';
import { resolvConfOf } from '../../src/insight/pod.ts';
import { openWorld } from '../../src/insight/sources.ts';
import type { Pod } from '../../src/kube/types/index.ts';
import { dig, digHeader, digVersion } from '../support/dig.ts';
import { apiOf, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { startUpstream } from '../support/upstream.ts';

const upstreamAddress = '127.77.18.53';

const reason = canBind ? (digVersion ? undefined : 'dig is not installed') : 'the front door needs Linux and root';
if (reason) console.log(`skipped: names asked with dig: ${reason}`);

describe.skipIf(reason !== undefined)('names, asked with dig', () => {
  let door: TestDoor;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  const servers = () => door.summary.dns;
  const ask = (...question: string[]) => dig(servers()[0]!, ...question);
  const header = (...question: string[]) => digHeader(servers()[0]!, ...question);
  const clusterIp = (name: string) => door.summary.services.find((each) => each.name === name)!.clusterIP!;

  beforeAll(async () => {
    upstream = await startUpstream(upstreamAddress);
    door = await openDoor(18, {
      paths: [join(packageRoot, 'examples/front-door')],
      nodeResolvConf: `nameserver ${upstreamAddress}\nsearch node.example\n`,
    });
  });
  afterAll(async () => {
    await door.close(0);
    upstream.close();
  });

  it('answers at both doors, over UDP and TCP', async () => {
    expect(servers()).toHaveLength(2);
    for (const server of servers())
      for (const transport of ['+notcp', '+tcp']) {
        expect(await dig(server, transport, 'api-v1.default.svc.cluster.local')).toEqual([clusterIp('api-v1')]);
        const { tcp } = await digHeader(server, transport, 'api-v1.default.svc.cluster.local');
        expect(tcp).toBe(transport === '+tcp');
      }
  });

  it('is the authority for the names of the cluster, whatever their case', async () => {
    const { status, flags } = await header('api-V1.Default.SVC.cluster.local');
    expect(status).toBe('NOERROR');
    expect(flags).toEqual(expect.arrayContaining(['qr', 'aa', 'rd']));
    expect(await ask('api-V1.Default.SVC.cluster.local')).toEqual([clusterIp('api-v1')]);
  });

  it.each([
    ['a name that no Service has', 'nobody.default.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['a namespace that does not exist', 'api-v1.nowhere.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['a type that a Service does not have', 'api-v1.default.svc.cluster.local', 'MX', 'NOERROR'],
    ['a namespace by itself', 'default.svc.cluster.local', 'A', 'NOERROR'],
    ['a Service of one family, asked for the other', 'api-v1.default.svc.cluster.local', 'AAAA', 'NOERROR'],
  ])('%s has no records', async (_what, name, type, status) => {
    expect(await header(name, type)).toMatchObject({ status, answers: 0 });
  });

  it('names ports in SRV records, which lead to the Service', async () => {
    expect(await ask('_http._tcp.api-v1.default.svc.cluster.local', 'SRV')).toEqual([
      '0 100 80 api-v1.default.svc.cluster.local.',
    ]);
    expect(await header('_https._tcp.api-v1.default.svc.cluster.local', 'SRV')).toMatchObject({ status: 'NXDOMAIN' });
  });

  it('has names of Pods by address, and says its version', async () => {
    const { podIP } = door.store.get<Pod>('pods', 'default/mysql-0')!.status!;
    expect(await ask(`${podIP!.replaceAll('.', '-')}.default.pod.cluster.local`)).toEqual([podIP]);
    expect(await ask('dns-version.cluster.local', 'TXT')).toEqual(['"1.1.0"']);
  });

  it('leads from addresses of Services and of Pods of headless Services to their names', async () => {
    expect(await ask('-x', clusterIp('api-v1'))).toEqual(['api-v1.default.svc.cluster.local.']);
    const { podIP } = door.store.get<Pod>('pods', 'default/mysql-1')!.status!;
    expect(await ask('-x', podIP!)).toEqual(['mysql-1.mysql.default.svc.cluster.local.']);
    expect(await header('-x', clusterIp('api-v1').replace(/\d+$/, '254'))).toMatchObject({ answers: 0 });
  });

  it('follows an ExternalName outside', async () => {
    await apiOf(door).patch('/api/v1/namespaces/default/services/payments', {
      spec: { externalName: 'www.example.org' },
    });
    await eventually(
      () => ask('payments.default.svc.cluster.local'),
      (seen) => seen.join() === '192.0.2.80,www.example.org.',
    );
    expect(await ask('payments.default.svc.cluster.local', 'CNAME')).toEqual(['www.example.org.']);
  });

  it('forwards other names to the resolver of the node, with what it says', async () => {
    expect(await ask('www.example.org')).toEqual(['192.0.2.80']);
    expect(await ask('+tcp', 'www.example.org')).toEqual(['192.0.2.80']);
    const { flags } = await header('www.example.org');
    expect(flags).toContain('ra');
    expect(flags).not.toContain('aa');
    expect(await header('missing.example.org')).toMatchObject({ status: 'NXDOMAIN' });
    expect(await header('broken.example.org')).toMatchObject({ status: 'SERVFAIL' });
  });

  it('never asks the resolver of the node for names of the cluster', async () => {
    await header('nobody.default.svc.cluster.local');
    await header('cluster.local', 'SOA');
    expect(upstream.asked.filter((question) => question.includes('cluster.local'))).toEqual([]);
    expect(upstream.asked.length).toBeGreaterThan(0);
  });

  it('brings a large answer whole: truncated over UDP, asked again over TCP on both sides', async () => {
    const truncated = await header('+ignore', '+bufsize=512', 'big.example.org');
    expect(truncated.flags).toContain('tc');
    expect(await ask('big.example.org')).toHaveLength(200);
    expect(upstream.asked.some((question) => question.startsWith('TCP big.example.org'))).toBe(true);
  });

  it('gives hosts of Ingresses and Gateways the address of their door', async () => {
    const [gateway] = door.summary.gateways.flatMap(({ addresses }) => addresses);
    expect(await ask('web.example.com')).toEqual([door.config.ingressAddress]);
    expect(await ask('canary.example.com')).toEqual([gateway]);
  });

  it('a Pod of the running cluster has this DNS in its resolv.conf, and lookup gets what dig gets', async () => {
    const world = await openWorld({ server: door.summary.api });
    const conf = resolvConfOf(world, 'default/dns-cluster-first');
    if (!conf.ok) throw new Error(conf.error);
    expect(conf.value.text).toBe(
      `search default.svc.cluster.local svc.cluster.local cluster.local node.example\nnameserver ${door.config.dnsAddress}\noptions ndots:5\n`,
    );
    const asker = createAsker(world, { network: true });
    for (const [name, full] of [
      ['api-v1', 'api-v1.default.svc.cluster.local.'],
      ['www.example.org', 'www.example.org.'],
      ['web.example.com', 'web.example.com.'],
    ] as const) {
      // biome-ignore format: one line
      const { answers, foundAs } = await lookup({ name, resolvConf: conf.value.text, ask: asker.ask });
      expect(foundAs).toBe(full);
      expect(answers.map((record) => record.split(' ').at(-1))).toEqual(await ask(full));
    }
    await asker.close();
  });
});
