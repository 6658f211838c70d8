/**
 * Certificates of `fairway gateway`: Secrets that Ingresses and Gateways refer to, followed by watches of their own or by the
 * names of all, and what of all this the API is asked for.
 */
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { certificateSecret } from '../support/certificates.ts';
import { apiOf, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { httpAnswer, statusBody } from '../support/fault-proxy.ts';
import { app, backendRef, gateway, httpRoute, ingress, namespace, path, stream } from '../support/manifests.ts';
import { openReplica, type Replica } from '../support/replica.ts';

if (!canBind) console.log('skipped: the front door on its own addresses needs Linux and root');

const [here, forIngresses] = ['127.77.95.1', '127.77.95.2'] as const;
const secrets = '/api/v1/namespaces/default/secrets';
const hosts = { ingress: 'shop.example.com', gateway: 'api.example.com' } as const;
const listener = (...certificateRefs: object[]) => [
  { name: 'https', port: 443, protocol: 'HTTPS', hostname: hosts.gateway, tls: { certificateRefs } },
];

/** The common name of the certificate that is shown; what went wrong where none is. */
function shownAt(address: string, servername: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 443, servername, rejectUnauthorized: false });
    socket.on('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', ({ message }) => resolve(message));
  });
}

describe.skipIf(!canBind)('certificates of fairway gateway', () => {
  let door: TestDoor;
  let replica: Replica | undefined;
  /** Requests for Secrets: `GET /path, metadata`. */
  let asked: string[] = [];
  const api = () => apiOf(door);
  const shown = () => Promise.all([shownAt(forIngresses, hosts.ingress), shownAt(here, hosts.gateway)]);
  const swap = (name: string, ...names: string[]) =>
    api().patch(`${secrets}/${name}`, { data: certificateSecret(name, names).data });

  beforeAll(async () => {
    const rules = [{ backendRefs: [backendRef('web')] }];
    door = await openDoor(36, {
      ...{ gateway: false, paths: ['-'] },
      stdin: stream(
        ...app('web'),
        namespace('team'),
        ...['shop-tls', 'api-tls', 'nobodys'].map((name) =>
          certificateSecret(name, [`${name}.example.com`, '*.example.com']),
        ),
        certificateSecret('far', ['far.example.com'], 'team'),
        gateway('door', listener({ name: 'api-tls' })),
        httpRoute('api', 'door', rules, { hostnames: [hosts.gateway] }),
        ingress(
          'shop',
          { [hosts.ingress]: [path('/', 'Prefix', 'web')] },
          { ingressClassName: 'fairway', tls: [{ hosts: [hosts.ingress], secretName: 'shop-tls' }] },
        ),
      ),
    });
  });
  afterEach(async () => {
    await replica?.stop();
    replica = undefined;
    for (const name of ['shop-tls', 'api-tls']) {
      await api()
        .remove(`${secrets}/${name}`)
        .catch(() => undefined);
      await api().create(secrets, certificateSecret(name, [`${name}.example.com`, '*.example.com']));
    }
  });
  afterAll(() => door?.close());

  async function start(ownWatches: number, mayListNames = true): Promise<Replica> {
    asked = [];
    replica = await openReplica(door.summary.api, here, {
      ...({ election: undefined } as object),
      addresses: { listen: here, ingressListen: forIngresses },
      follow: { ownWatches },
    });
    replica.api.faults = {
      answer(line, head) {
        const [, url = ''] = line.split(' ');
        if (!url.includes('/secrets')) return undefined;
        const isMetadata = /^accept: .*as=PartialObjectMetadata/im.test(head);
        const { pathname, searchParams } = new URL(url, 'http://server');
        const selector = searchParams.get('fieldSelector');
        asked.push(
          [pathname, selector, searchParams.get('watch') && 'watch', isMetadata && 'metadata']
            .filter(Boolean)
            .join(' '),
        );
        return isMetadata && !mayListNames ? httpAnswer(403, statusBody(403, 'Forbidden')) : undefined;
      },
    };
    await eventually(() => replica!.role.isReady(), Boolean, 10_000);
    return replica;
  }

  const own = [`${secrets} metadata.name=api-tls`, `${secrets} metadata.name=shop-tls`];
  const ways: [string, number, boolean, string[]][] = [
    ['watches of their own', 100, true, own.flatMap((line) => [line, `${line} watch`])],
    [
      'the names of all',
      0,
      true,
      ['/api/v1/secrets metadata', '/api/v1/secrets watch metadata', `${secrets}/api-tls`, `${secrets}/shop-tls`],
    ],
    [
      'watches of their own where names may not be listed',
      0,
      false,
      ['/api/v1/secrets metadata', ...own.flatMap((line) => [line, `${line} watch`])],
    ],
  ];

  it.each(ways)('are served and swapped, by %s', async (_name, ownWatches, mayListNames, expected) => {
    const { role, findings } = await start(ownWatches, mayListNames);
    expect(await shown()).toEqual(['shop-tls.example.com', 'api-tls.example.com']);
    await eventually(
      () => [...new Set(asked)].sort(),
      (now) => now.length === expected.length,
    );
    expect([...asked].sort()).toEqual([...expected].sort());
    expect(
      role.store
        .list('secrets')
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(['api-tls', 'shop-tls']);
    await swap('nobodys', 'changed.example.com');
    await swap('shop-tls', 'second.example.com', hosts.ingress);
    await swap('api-tls', 'other.example.com', hosts.gateway);
    await eventually(shown, (now) => now.join() === 'second.example.com,other.example.com');
    await api().remove(`${secrets}/api-tls`);
    await eventually(shown, ([, now]) => now !== 'other.example.com');
    await api().create(secrets, certificateSecret('api-tls', ['back.example.com', hosts.gateway]));
    await eventually(shown, ([, now]) => now === 'back.example.com');
    expect(asked.filter((line) => /nobodys|far/.test(line))).toEqual([]);
    expect(findings.filter(({ code }) => code.startsWith('FW16'))).toEqual([]);
  });

  it('of another namespace are read when a ReferenceGrant allows it', async () => {
    const door2 = '/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways/door';
    const listeners = (name: string, from?: string) => ({
      spec: { listeners: listener({ name, ...(from && { namespace: from }) }) },
    });
    await api().patch(door2, listeners('far', 'team'));
    const { role } = await start(0);
    expect(asked.filter((line) => line.includes('far'))).toEqual([]);
    await api().create('/apis/gateway.networking.k8s.io/v1beta1/namespaces/team/referencegrants', {
      ...{ apiVersion: 'gateway.networking.k8s.io/v1beta1', kind: 'ReferenceGrant', metadata: { name: 'door' } },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'default' }],
        to: [{ group: '', kind: 'Secret', name: 'far' }],
      },
    });
    await eventually(
      () => shownAt(here, hosts.gateway),
      (now) => now === 'far.example.com',
    );
    expect(role.store.get('secrets', 'team/far')).toBeDefined();
    await api().patch(door2, listeners('api-tls'));
    await eventually(
      () => shownAt(here, hosts.gateway),
      (now) => now === 'api-tls.example.com',
    );
  });

  it('follow a list that has begun anew, and catch up with what the API did while it was away', async () => {
    const { role, api: way } = await start(0);
    await eventually(
      () => asked,
      (now) => now.some((line) => line.includes('watch')),
    );
    const usual = way.faults;
    way.faults = { down: true };
    way.cut();
    await swap('shop-tls', 'meanwhile.example.com', hosts.ingress);
    await eventually(
      () => role.diagnostics().map(({ code }) => code),
      (now) => now.includes('FW1602'),
    );
    expect(await shownAt(forIngresses, hosts.ingress)).toBe('shop-tls.example.com');
    asked = [];
    way.faults = {
      answer: (line, head) =>
        usual.answer?.(line, head) ??
        (/secrets\?.*watch=true/.test(line) && asked.length < 2
          ? httpAnswer(410, statusBody(410, 'Expired'))
          : undefined),
    };
    await eventually(shown, ([now]) => now === 'meanwhile.example.com');
    expect(asked.filter((line) => line === '/api/v1/secrets metadata')).toHaveLength(1);
    expect(asked.filter((line) => line.startsWith(`${secrets}/`))).toEqual([`${secrets}/shop-tls`]);
  });
});
