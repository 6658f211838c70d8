/** From an annotation to a certificate that is served, against Debian's pebble. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Secret } from '../../kube/types/index.ts';
import { type AcmeObjects, localAcmeObjects } from './objects.ts';
import {
  createEmptyObjects,
  type Estate,
  type EstateOptions,
  ingressFor,
  issuersMap,
  pebbleIssuer,
  startEstate,
  stateNamespace,
} from './testing/estate.ts';
import { type Pebble, startPebble, whyNoPebble } from './testing/pebble.ts';
import { served } from './testing/served.ts';

const missing = whyNoPebble();
if (missing) console.log(`certificates by acme: skipped, ${missing}`);

const [ca, door] = ['127.84.3.1', '127.84.3.2'];
const ports = { 80: 18_431, 443: 18_432 };
const asks = { 'cert-manager.io/cluster-issuer': 'test' };

const decoded = (secret: Secret | undefined, key: string) =>
  Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');

describe.skipIf(missing)('an Ingress that asks for a certificate', () => {
  let pebble: Pebble;
  const open: Estate[] = [];
  const start = (options: Partial<EstateOptions> = {}) => {
    const estate = startEstate({ address: door, ports, ...options });
    open.push(estate);
    return estate;
  };
  /** Orders that were made; refused nonces make none. */
  const orders = () => pebble.log().split('Added order ').length - 1;
  const shown = async (host: string) => served(door, ports[443], host, await pebble.root());

  beforeAll(async () => {
    const env = { PEBBLE_WFE_NONCEREJECT: '20', PEBBLE_AUTHZREUSE: '0' };
    pebble = await startPebble({ address: ca, target: door, httpPort: ports[80], tlsPort: ports[443], env });
  });
  afterEach(() => Promise.all(open.splice(0).map((estate) => estate.stop())));
  afterAll(() => pebble?.stop());

  it('is served with it, past redirects and passwords', async () => {
    const estate = start();
    const users = { 'web.htpasswd': 'YTp7U0hBfVc2cGg1TW01UHo4R2dpVUxiUGd6RzM3bWo5Zz0=' };
    estate.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'users', namespace: 'shop' }, data: users });
    const hosts = ['a.example.com', 'B.example.com'];
    const annotations = { ...asks, 'fairway.dev/basic-auth-secret': 'users' };
    estate.put(issuersMap(pebbleIssuer(pebble)), ingressFor({ hosts, annotations }));
    await estate.until(() => estate.secret('shop/web-tls') !== undefined);
    await estate.until(() => estate.findings().length === 0);
    const certificate = await shown('b.example.com');
    expect(certificate.subjectaltname).toBe('DNS:a.example.com, DNS:b.example.com');
    expect(estate.secret('shop/web-tls')).toMatchObject({
      type: 'kubernetes.io/tls',
      metadata: { annotations: { 'fairway.dev/acme-issuer': 'test', 'fairway.dev/acme-server': pebble.directory } },
    });
    const { store } = estate.objects;
    expect(store.get('configmaps', `${stateNamespace}/fairway-acme-challenges`)).toMatchObject({ data: {} });
    const left = store.list<Secret>('secrets', stateNamespace).map(({ type }) => type);
    expect(left).toEqual(['fairway.dev/acme-account']);
  });

  it('gets another when it has another host, from the same account', async () => {
    const estate = start();
    estate.put(issuersMap(pebbleIssuer(pebble)), ingressFor({ hosts: ['c.example.com'], annotations: asks }));
    await estate.until(() => estate.secret('shop/web-tls') !== undefined);
    const first = decoded(estate.secret('shop/web-tls'), 'tls.crt');
    estate.put(ingressFor({ hosts: ['c.example.com', 'd.example.com'], annotations: asks }));
    await estate.until(() => decoded(estate.secret('shop/web-tls'), 'tls.crt') !== first);
    await estate.until(() => estate.findings().length === 0);
    expect((await shown('d.example.com')).subjectaltname).toContain('DNS:d.example.com');
    expect(estate.objects.store.list('secrets', stateNamespace)).toHaveLength(1);
  });

  /** Stops the first estate when a Secret is written, before or after that. */
  function stoppingAt(
    inner: AcmeObjects,
    isThere: (secret: Secret) => boolean,
    when: 'before' | 'after',
    stop: () => void,
  ) {
    const objects: AcmeObjects = {
      ...inner,
      async write(kind, object) {
        const isHit = kind === 'secrets' && isThere(object as Secret);
        if (isHit) stop();
        if (isHit && when === 'before') throw new Error('the process is gone');
        return inner.write(kind, object);
      },
    };
    return objects;
  }

  it.each([
    [
      'the order was noted',
      'after',
      ({ type, data }: Secret) => type === 'fairway.dev/acme-order' && !!data?.['order'],
    ],
    ['the certificate was issued', 'before', ({ type }: Secret) => type === 'kubernetes.io/tls'],
  ] as const)('goes on with its order after a restart when %s', async (_what, when, isThere) => {
    const before = orders();
    const objects = createEmptyObjects();
    let first: Estate | undefined;
    let stopped: Promise<void> | undefined;
    const stop = () => {
      stopped ??= first!.stop();
    };
    const manager = { objects: stoppingAt(localAcmeObjects(objects), isThere, when, stop) };
    first = startEstate({ address: door, ports, objects, manager });
    const host = `${when}.example.com`;
    first.put(issuersMap(pebbleIssuer(pebble)), ingressFor({ hosts: [host], annotations: asks }));
    await first.until(() => stopped !== undefined);
    await stopped;
    expect(first.secret('shop/web-tls')).toBeUndefined();
    const state = objects.store.list<Secret>('secrets').find(({ type }) => type === 'fairway.dev/acme-order');
    const key = decoded(state, 'tls.key');
    expect(key).toContain('PRIVATE KEY');

    const second = start({ objects });
    await second.until(() => second.secret('shop/web-tls') !== undefined);
    await second.until(() => second.findings().length === 0);
    expect(decoded(second.secret('shop/web-tls'), 'tls.key')).toBe(key);
    expect((await shown(host)).subjectaltname).toBe(`DNS:${host}`);
    expect(orders() - before).toBe(1);
  });

  it('waits ever longer after each refusal, also over a restart, and goes on at once when its hosts change', async () => {
    const objects = createEmptyObjects();
    const estate = start({ objects, manager: { retry: { failedMs: [600, 60_000] } } });
    // Pebble asks the port of the front door at an address where nothing listens.
    estate.put(issuersMap(pebbleIssuer(pebble)), ingressFor({ hosts: ['bad.invalid'], annotations: asks }));
    await pebble.resolve('bad.invalid', '127.84.3.9');
    await estate.until(() => estate.findings().some((each) => each.startsWith('FW6022')));
    expect(estate.findings().join()).toMatch(/bad\.invalid by test: .*bad\.invalid.*tried again at 20/);
    const failures = () => {
      const state = objects.store.list<Secret>('secrets').find(({ type }) => type === 'fairway.dev/acme-order');
      return JSON.parse(decoded(state, 'state') || '{}') as { failures?: number; retryAt?: number };
    };
    await estate.until(() => failures().failures === 2);
    expect(failures().retryAt! - Date.now()).toBeGreaterThan(900);
    const { retryAt } = failures();
    await estate.stop();
    const second = start({ objects, manager: { retry: { failedMs: [600, 60_000] } } });
    await second.until(() => second.findings().some((each) => each.startsWith('FW6022')));
    expect(failures()).toMatchObject({ failures: 2, retryAt });
    second.put(ingressFor({ hosts: ['good.example.com'], annotations: asks }));
    await second.until(() => second.secret('shop/web-tls') !== undefined);
    await second.until(() => second.findings().length === 0);
  });

  it('makes its account anew when the server has forgotten it', async () => {
    const estate = start();
    estate.put(issuersMap(pebbleIssuer(pebble)), ingressFor({ hosts: ['e.example.com'], annotations: asks }));
    await estate.until(() => estate.secret('shop/web-tls') !== undefined);
    await estate.stop();
    const [account] = estate.objects.store.list<Secret>('secrets', stateNamespace);
    const data = {
      ...account!.data,
      account: Buffer.from(`${pebble.directory.replace('/dir', '')}/my-account/gone`).toString('base64'),
    };
    estate.objects.update({ ...account!, data });
    const again = start({ objects: estate.objects, manager: { retry: { passingMs: [50, 50] } } });
    again.put(ingressFor({ hosts: ['f.example.com'], annotations: asks }));
    const url = () => decoded(again.objects.store.list<Secret>('secrets', stateNamespace)[0], 'account');
    await again.until(() => url() !== '' && !url().endsWith('gone'));
    await again.until(() => again.findings().length === 0);
    expect((await shown('f.example.com')).subjectaltname).toBe('DNS:f.example.com');
  });

  it('leaves a Secret alone that somebody else has made', async () => {
    const estate = start();
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'web-tls', namespace: 'shop' },
      data: { a: 'Yg==' },
    };
    estate.put(secret, issuersMap(pebbleIssuer(pebble)), ingressFor({ hosts: ['g.example.com'], annotations: asks }));
    await estate.until(() => estate.findings().some((each) => each.startsWith('FW6024')));
    expect(estate.secret('shop/web-tls')?.data).toEqual({ a: 'Yg==' });
    estate.remove('secrets', 'shop/web-tls');
    await estate.until(() => estate.secret('shop/web-tls') !== undefined);
  });

  it('stands aside where cert-manager has a Certificate for the Secret', async () => {
    const objects = createEmptyObjects();
    const apiVersion = 'cert-manager.io/v1';
    objects.store.put('certificates.cert-manager.io', {
      ...{ apiVersion, kind: 'Certificate', metadata: { name: 'theirs', namespace: 'shop' } },
      ...{ spec: { secretName: 'web-tls' } },
    } as never);
    const before = orders();
    const estate = start({ objects });
    estate.put(issuersMap(pebbleIssuer(pebble)), ingressFor({ hosts: ['h.example.com'], annotations: asks }));
    await estate.until(() => estate.findings().some((each) => each.includes('shop/theirs of cert-manager')));
    expect(orders()).toBe(before);
  });
});

describe.skipIf(missing)('a server that binds accounts', () => {
  it('gets the key that the issuer names', async () => {
    const mac = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';
    const pebble = await startPebble({
      address: '127.84.3.3',
      target: door,
      httpPort: ports[80],
      accounts: { 'kid-1': mac },
    });
    const estate = startEstate({ address: door, ports, manager: { retry: { passingMs: [100, 100] } } });
    try {
      const binding = '  externalAccountBinding: { keyID: kid-1, secretRef: { name: eab, key: hmac } }';
      estate.put(
        issuersMap(pebbleIssuer(pebble, binding)),
        ingressFor({ hosts: ['a.example.com'], annotations: asks }),
      );
      await estate.until(() => estate.findings().some((each) => each.includes('eab has no hmac')));
      const data = { hmac: Buffer.from(mac).toString('base64') };
      estate.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'eab', namespace: stateNamespace }, data });
      await estate.until(() => estate.secret('shop/web-tls') !== undefined);
    } finally {
      await estate.stop();
      await pebble.stop();
    }
  });
});
