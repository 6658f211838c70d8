/** `fairway explain` for what is not HTTP: tcp://, udp:// and tls:// on manifests. */
import { beforeAll, describe, expect, it } from 'vitest';
import { explainStream } from '../../src/insight/explain/streams/explain.ts';
import { renderStreamMermaid, renderStreamText } from '../../src/insight/explain/streams/render.ts';
import { parseStreamRequest } from '../../src/insight/explain/streams/request.ts';
import type { StreamExplanation } from '../../src/insight/explain/streams/types.ts';
import { openWorld } from '../../src/insight/sources.ts';
import type { World } from '../../src/insight/world.ts';
import { certificateSecret } from '../support/certificates.ts';
import { app, backendRef, gateway, gatewayVersion, httpRoute, type Manifest, stream } from '../support/manifests.ts';

const route = (kind: string, name: string, parentRef: Manifest, backendRefs: readonly Manifest[], more = {}) => ({
  apiVersion: gatewayVersion,
  kind,
  metadata: { name, namespace: 'default' },
  spec: { parentRefs: [parentRef], rules: [{ backendRefs }], ...more },
});

const certificate = { certificateRefs: [{ name: 'shown' }] };
const tls = (name: string, hostname: string, options: Manifest) => ({
  ...{ name, port: 443, protocol: 'TLS', hostname, tls: options },
});

const manifests = [
  ...app('one', { replicas: 2 }),
  ...app('two'),
  ...app('none', { replicas: 0 }),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'names' },
    spec: { selector: { app: 'one' }, ports: [{ port: 53, targetPort: 8080, protocol: 'UDP' }] },
  },
  certificateSecret('shown', ['*.example.com']),
  gateway('l4', [
    { name: 'tcp', port: 9000, protocol: 'TCP' },
    { name: 'udp', port: 9000, protocol: 'UDP' },
    { name: 'weighted', port: 9001, protocol: 'TCP' },
    { name: 'empty', port: 9002, protocol: 'TCP' },
    { name: 'dry', port: 9003, protocol: 'TCP' },
    tls('through', '*.through.example.com', { mode: 'Passthrough' }),
    tls('terminated', '*.in.example.com', {
      ...{ mode: 'Terminate', options: { 'fairway.dev/alpn': 'postgresql' }, ...certificate },
    }),
    { name: 'https', port: 443, protocol: 'HTTPS', hostname: 'www.example.com', tls: certificate },
  ]),
  route('TCPRoute', 'echo', { name: 'l4', sectionName: 'tcp' }, [backendRef('one')]),
  route('UDPRoute', 'names', { name: 'l4', sectionName: 'udp' }, [{ name: 'names', port: 53 }]),
  route('TCPRoute', 'shares', { name: 'l4', sectionName: 'weighted' }, [
    backendRef('one', { weight: 3 }),
    backendRef('nobody', { weight: 1 }),
  ]),
  route('TCPRoute', 'dry', { name: 'l4', sectionName: 'dry' }, [backendRef('none')]),
  route('TLSRoute', 'through', { name: 'l4', sectionName: 'through' }, [backendRef('one')], {
    hostnames: ['a.through.example.com'],
  }),
  route('TLSRoute', 'terminated', { name: 'l4', sectionName: 'terminated' }, [backendRef('two')], {
    hostnames: ['*.in.example.com'],
  }),
  httpRoute('web', { name: 'l4', sectionName: 'https' }, [{ backendRefs: [backendRef('one')] }]),
];

describe('explain of streams', () => {
  let world: World;
  let address: string;
  beforeAll(async () => {
    world = await openWorld({ files: ['-'], stdin: stream(...manifests), nodeResolvConf: '' });
    address = world.plan.streams![0]!.address;
  });

  function ask(url: string): StreamExplanation {
    const request = parseStreamRequest(url.replace('ADDRESS', address));
    if (!request.ok) throw new Error(request.error);
    return explainStream(world, request.value);
  }
  const statuses = ({ steps }: StreamExplanation) => steps.map(({ status }) => status);

  it('walks from the address to the Pods of a TCPRoute and a UDPRoute', () => {
    const tcp = ask('tcp://ADDRESS:9000');
    expect(tcp).toMatchObject({
      ok: true,
      refused: null,
      matched: { kind: 'TCPRoute', name: 'echo', listener: `${address}:9000/TCP`, tls: 'none' },
      backend: { service: 'one', port: 80, protocol: 'TCP', share: 1 },
    });
    expect(statuses(tcp)).toEqual(Array(6).fill('ok'));
    expect(tcp.endpoints).toHaveLength(2);
    const udp = ask('udp://ADDRESS:9000');
    expect(udp).toMatchObject({
      ok: true,
      matched: { kind: 'UDPRoute' },
      backend: { service: 'names', protocol: 'UDP' },
    });
    expect(renderStreamText(udp, { green: String, red: String, yellow: String, dim: String, bold: String })).toMatch(
      /^udp:\/\/\S+:9000 from internet, in -\n[\s\S]*The datagrams reach a Pod\./,
    );
    expect(renderStreamMermaid(udp)).toMatch(/s0\["udp:\/\//);
  });

  it('shows shares, the invalid ones with what becomes of them', () => {
    const found = ask('tcp://ADDRESS:9001');
    expect(found).toMatchObject({ ok: true, backends: [{ service: 'one', share: 0.75 }] });
    expect(found.steps[3]).toMatchObject({ status: 'warning' });
    expect(found.steps[3]!.details.join('\n')).toMatch(/25 % are refused: BackendNotFound/);
    expect(found.diagnostics.map(({ code }) => code)).toContain('FW3401');
  });

  it('says why a connection is refused, with the flag of the access log', () => {
    expect(ask('tcp://ADDRESS:9002')).toMatchObject({ ok: false, refused: { flag: 'no_route' } });
    expect(ask('tcp://ADDRESS:9003')).toMatchObject({ ok: false, refused: { flag: 'no_endpoints' } });
    const unknown = ask('tls://b.through.example.com');
    expect(unknown).toMatchObject({ ok: false, refused: { flag: 'no_route' } });
    expect(unknown.rejected).toContainEqual(
      expect.objectContaining({ kind: 'TLSRoute', name: 'through', wanted: 'a.through.example.com' }),
    );
    expect(
      renderStreamText(unknown, { green: String, red: String, yellow: String, dim: String, bold: String }),
    ).toMatch(/The connection is reset: .*\(no_route\)\.\n\nRoutes that lost\n/);
  });

  it('tells passthrough, termination and handover by server name apart', () => {
    expect(ask('tls://a.through.example.com')).toMatchObject({ ok: true, matched: { tls: 'passthrough' } });
    const inside = ask('tls://x.in.example.com:443');
    expect(inside).toMatchObject({ ok: true, matched: { tls: 'terminate', serverName: '*.in.example.com' } });
    expect(inside.steps[2]!.details).toContain('ALPN: postgresql');
    expect(ask('tls://x.y.in.example.com')).toMatchObject({ refused: { flag: 'handshake_failed' } });
    const web = ask('tls://www.example.com');
    expect(web).toMatchObject({ ok: true, matched: { tls: 'handover' }, endpoints: [] });
    expect(web.steps[2]!.details).toContain('ask fairway explain https://www.example.com/');
    expect(statuses(web).slice(3)).toEqual(Array(3).fill('not needed'));
    expect(ask('tls://ADDRESS:443')).toMatchObject({ ok: false, refused: { flag: 'no_route' } });
  });

  it('says where nothing listens, and what does', () => {
    expect(ask('tcp://192.0.2.1:9000').steps[0]).toMatchObject({ status: 'broken' });
    expect(ask('tcp://db.example.com:9000').steps[0]!.summary).toMatch(/TCP carries no name/);
    expect(ask('tls://a.example.com:9999').steps[0]!.summary).toMatch(/no TLS listener of the plan has port 9999/);
    expect(ask('tcp://ADDRESS:443').steps[2]).toMatchObject({ fix: 'port 443 is HTTPS: ask for https://' });
    expect(ask('udp://ADDRESS:9001').steps[2]).toMatchObject({ fix: 'port 9001 is TCP: ask for tcp://' });
  });

  it.each(['tcp://10.0.0.1', 'udp://10.0.0.1:0', 'tls://a.example:99999', 'tcp://a/b', 'tls://a b', 'tcp://:80'])(
    'takes %s for a mistake',
    (url) => {
      expect(parseStreamRequest(url).ok).toBe(false);
    },
  );
});
