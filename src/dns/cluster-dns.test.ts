/** The DNS of `fairway up`, asked with dig over real sockets. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStore } from '../kube/store/store.ts';
import type { KubeObject } from '../kube/types/index.ts';
import { createClusterDns } from './cluster-dns.ts';
import { encodeQuery } from './wire/ask.ts';
import { decodeMessage } from './wire/decode.ts';

const run = promisify(execFile);
const address = '127.80.3.1';
const store = createStore();
const put = (resource: string, object: object) => store.put(resource, object as KubeObject);
put('services', {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00:96::7'], ports: [{ name: 'http', port: 80 }] },
});
put('services', {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'crowd', namespace: 'shop' },
  spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] },
});
put('endpointslices.discovery.k8s.io', {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'crowd-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'crowd' } },
  addressType: 'IPv4',
  endpoints: Array.from({ length: 100 }, (_, i) => ({ addresses: [`10.244.3.${i}`] })),
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
});

const dns = createClusterDns({ store, clusterDomain: 'cluster.local', listen: [{ address, port: 0 }], upstreams: [] });
let port = 0;
let digMissing: string | undefined;

beforeAll(async () => {
  const [bound] = await dns.start();
  if (bound!.error) throw new Error(bound!.error.message);
  port = bound!.port;
  dns.changeFrontDoorNames(new Map([['api.example.com', ['127.250.0.1']]]));
  digMissing = await run('dig', ['-v']).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (digMissing) console.warn(`skipped: dig is not installed (${digMissing})`);
});
afterAll(() => dns.close());

async function dig(...args: string[]): Promise<string> {
  const { stdout } = await run('dig', [`@${address}`, '-p', String(port), '+tries=1', '+time=2', ...args]);
  return stdout;
}

describe('cluster DNS', () => {
  it('answers dig', async ({ skip }) => {
    if (digMissing) skip('dig is not installed');
    const full = await dig('web.shop.svc.cluster.local');
    expect(full).toContain('status: NOERROR');
    expect(full).toMatch(/flags: qr aa rd;/);
    expect(full).not.toMatch(/malformed|WARNING: Message|extra bytes/);
    expect(full).toMatch(/web\.shop\.svc\.cluster\.local\.\s+5\s+IN\s+A\s+10\.96\.0\.7/);
    expect(await dig('+short', 'web.shop.svc.cluster.local', 'AAAA')).toBe('fd00:96::7\n');
    expect(await dig('+short', '_http._tcp.web.shop.svc.cluster.local', 'SRV')).toBe(
      '0 50 80 web.shop.svc.cluster.local.\n',
    );
    expect(await dig('+short', '-x', '10.96.0.7')).toBe('web.shop.svc.cluster.local.\n');
    expect(await dig('+short', '-x', 'fd00:96::7')).toBe('web.shop.svc.cluster.local.\n');
    expect(await dig('+short', 'api.example.com')).toBe('127.250.0.1\n');
    expect(await dig('missing.shop.svc.cluster.local')).toMatch(/NXDOMAIN[\s\S]*IN\s+SOA\s+ns\.dns\.cluster\.local\./);
    expect(await dig('+short', 'dns-version.cluster.local', 'TXT')).toBe('"1.1.0"\n');
    expect(await dig('www.example.org')).toContain('status: SERVFAIL');
  });

  it('lets dig come back over TCP for what is too large for UDP', async ({ skip }) => {
    if (digMissing) skip('dig is not installed');
    const cut = await dig('+ignore', '+noedns', 'crowd.shop.svc.cluster.local');
    expect(cut).toMatch(/flags: qr aa tc rd;/);
    expect((await dig('+short', 'crowd.shop.svc.cluster.local')).trim().split('\n')).toHaveLength(100);
    expect((await dig('+short', '+tcp', 'crowd.shop.svc.cluster.local')).trim().split('\n')).toHaveLength(100);
  });

  it('tells dig about EDNS versions, opcodes and classes', async ({ skip }) => {
    if (digMissing) skip('dig is not installed');
    expect(await dig('+edns=1', '+noednsnegotiation', 'web.shop.svc.cluster.local')).toContain('status: BADVERS');
    expect(await dig('+opcode=UPDATE', 'web.shop.svc.cluster.local')).toContain('status: NOTIMP');
    expect(await dig('-c', 'CH', 'version.bind', 'TXT')).toContain('status: REFUSED');
    const bits = await dig('+dnssec', 'WeB.shop.svc.cluster.local');
    expect(bits).toMatch(/EDNS: version: 0, flags: do; udp: 1232/);
    expect(bits).toMatch(/WeB\.shop\.svc\.cluster\.local\.\s+5\s+IN\s+A/);
  });

  it('shows a change at once', async () => {
    const ask = async () => {
      const decoded = decodeMessage((await dns.answer(encodeQuery('web.shop.svc.cluster.local', 1)))!);
      return decoded.ok && decoded.value.answers.map(({ data }) => data);
    };
    expect(await ask()).toEqual([{ kind: 'address', address: '10.96.0.7' }]);
    put('services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { clusterIP: '10.96.0.8', ports: [{ name: 'http', port: 80 }] },
    });
    expect(await ask()).toEqual([{ kind: 'address', address: '10.96.0.8' }]);
  });

  it('says what is wrong with its upstreams', async () => {
    const make = (options: { upstreams?: string[]; resolvConf?: string }) => {
      const made = createClusterDns({
        store,
        clusterDomain: 'cluster.local',
        listen: [{ address, port: 53 }],
        ...options,
      });
      const codes = made.diagnostics().map(({ code }) => code);
      void made.close();
      return codes;
    };
    expect(make({ upstreams: [address] })).toEqual(['FW4004', 'FW4005']);
    expect(make({ upstreams: [] })).toEqual(['FW4005']);
    expect(make({ resolvConf: '/nonexistent/resolv.conf' })).toEqual(['FW4005']);
    expect(make({ upstreams: ['192.0.2.1'] })).toEqual([]);
  });
});
