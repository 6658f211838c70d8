/** The kubelet's algorithm, case by case; the expectations follow its own dns_test.go and reference behaviour. */
import { describe, expect, it } from 'vitest';
import type { PodSpec } from '../../kube/types/index.ts';
import { parseNodeResolvConf } from './node.ts';
import { podResolvConf, type ResolvConfInput, renderResolvConf } from './resolvconf.ts';

type Spec = Pick<PodSpec, 'dnsPolicy' | 'dnsConfig' | 'hostNetwork'>;
const node = 'nameserver 192.0.2.53\nsearch corp.example node.example\noptions timeout:1 rotate\n';

function conf(spec: Spec, rest: Partial<ResolvConfInput> = {}) {
  return podResolvConf({
    pod: { namespace: 'shop', name: 'web-0', spec },
    nodeResolvConf: node,
    clusterDNS: ['127.96.0.10'],
    clusterDomain: 'cluster.local',
    ...rest,
  });
}

const codes = (made: ReturnType<typeof conf>) => made.warnings.map(({ code }) => code);

describe('policies', () => {
  it('ClusterFirst: cluster DNS, cluster and node searches, ndots:5 alone', () => {
    const made = conf({ dnsPolicy: 'ClusterFirst' });
    expect(made.text).toBe(
      'search shop.svc.cluster.local svc.cluster.local cluster.local corp.example node.example\n' +
        'nameserver 127.96.0.10\noptions ndots:5\n',
    );
    expect(made.warnings).toEqual([]);
    expect(conf({}).text).toBe(made.text);
  });

  it('ClusterFirst on the host network: Default, with a warning', () => {
    const made = conf({ dnsPolicy: 'ClusterFirst', hostNetwork: true });
    expect(made.text).toBe('search corp.example node.example\nnameserver 192.0.2.53\noptions timeout:1 rotate\n');
    expect(made.policy).toMatchObject({ declared: 'ClusterFirst', effective: 'Default' });
    expect(codes(made)).toEqual(['FW4102']);
  });

  it('ClusterFirstWithHostNet: cluster DNS either way', () => {
    const made = conf({ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true });
    expect(made.nameservers).toEqual(['127.96.0.10']);
    expect(made.warnings).toEqual([]);
  });

  it('Default: the node file', () => {
    expect(conf({ dnsPolicy: 'Default' }).options).toEqual(['timeout:1', 'rotate']);
  });

  it('Default without a node file: the loopback of each address family, search "."', () => {
    const made = conf({ dnsPolicy: 'Default' }, { nodeResolvConf: undefined, nodeAddresses: ['10.0.0.1', 'fd00::1'] });
    expect(made.text).toBe('search .\nnameserver 127.0.0.1\nnameserver ::1\n');
    expect(conf({ dnsPolicy: 'Default' }, { nodeResolvConf: undefined }).nameservers).toEqual(['127.0.0.1']);
  });

  it('None: dnsConfig alone; a warning when that is nothing', () => {
    const made = conf({
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['192.0.2.1'], searches: ['a.example'], options: [{ name: 'edns0' }] },
    });
    expect(made.text).toBe('search a.example\nnameserver 192.0.2.1\noptions edns0\n');
    expect(codes(conf({ dnsPolicy: 'None' }))).toEqual(['FW4107']);
  });

  it('unknown policy: cluster, with a warning', () => {
    const made = conf({ dnsPolicy: 'constructor' as never });
    expect(made.nameservers).toEqual(['127.96.0.10']);
    expect(codes(made)).toEqual(['FW4105']);
  });

  it('no clusterDNS: Default, with a warning', () => {
    const made = conf({ dnsPolicy: 'ClusterFirst' }, { clusterDNS: [] });
    expect(made.nameservers).toEqual(['192.0.2.53']);
    expect(codes(made)).toEqual(['FW4101']);
  });

  it('no clusterDomain: the searches of the node', () => {
    expect(conf({}, { clusterDomain: '' }).searches).toEqual(['corp.example', 'node.example']);
  });
});

describe('dnsConfig', () => {
  it('adds servers and searches once each, and replaces options by name', () => {
    const made = conf({
      dnsConfig: {
        nameservers: ['192.0.2.1', '127.96.0.10'],
        searches: ['corp.example', 'my.example', 'my.example'],
        options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }, { name: 'timeout', value: '' }],
      },
    });
    expect(made.nameservers).toEqual(['127.96.0.10', '192.0.2.1']);
    expect(made.searches.slice(3)).toEqual(['corp.example', 'node.example', 'my.example']);
    expect(made.options).toEqual(['ndots:2', 'edns0', 'timeout']);
    expect(made.reasons.options[0]).toEqual({
      value: 'ndots:2',
      origin: 'pod dnsConfig',
      from: 'spec.dnsConfig.options[0]',
    });
    expect(made.reasons.searches.map(({ origin }) => origin)).toEqual([
      'cluster domain',
      'cluster domain',
      'cluster domain',
      'node resolv.conf',
      'node resolv.conf',
      'pod dnsConfig',
    ]);
  });
});

describe('limits', () => {
  it('3 nameservers', () => {
    const made = conf({ dnsConfig: { nameservers: ['192.0.2.1', '192.0.2.2', '192.0.2.3'] } });
    expect(made.nameservers).toEqual(['127.96.0.10', '192.0.2.1', '192.0.2.2']);
    expect(made.warnings[0]).toMatchObject({
      code: 'FW4103',
      message:
        'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 127.96.0.10 192.0.2.1 192.0.2.2',
    });
  });

  const many = (count: number, length: number) =>
    Array.from({ length: count }, (_, i) => `${String(i).padStart(3, '0')}${'x'.repeat(length - 3)}`);

  it('32 searches', () => {
    const made = conf({ dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.1'], searches: many(33, 10) } });
    expect(made.searches).toEqual(many(32, 10));
    expect(codes(made)).toEqual(['FW4104']);
    expect(
      codes(conf({ dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.1'], searches: many(32, 10) } })),
    ).toEqual([]);
  });

  it('2048 characters of searches, cut from the end', () => {
    const exact = conf({
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['192.0.2.1'], searches: many(21, 96).concat('y'.repeat(11)) },
    });
    expect(exact.searches.join(' ')).toHaveLength(2048);
    expect(codes(exact)).toEqual([]);
    const over = conf({
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['192.0.2.1'], searches: many(21, 96).concat('y'.repeat(12)) },
    });
    expect(over.searches).toEqual(many(21, 96));
    expect(codes(over)).toEqual(['FW4104']);
  });

  it('253 characters of one search, counted after the cut to 32', () => {
    const long = 'z'.repeat(254);
    const searches = [long, ...many(32, 10)];
    const made = conf({ dnsPolicy: 'None', dnsConfig: { nameservers: ['192.0.2.1'], searches } });
    expect(made.searches).toEqual(many(31, 10));
    expect(codes(made)).toEqual(['FW4104']);
  });
});

describe('the node file', () => {
  it('is read as the kubelet reads it', () => {
    const parsed = parseNodeResolvConf(
      '# nameserver 1.1.1.1\n  nameserver 192.0.2.1 # words after\r\nnameserver\t192.0.2.2\n' +
        'search old.example\nsearch a.example. b.example ; c\noptions x\noptions ndots:3\ndomain d.example\nsortlist x\n; y\n',
    );
    expect(parsed).toEqual({
      nameservers: ['192.0.2.1', '192.0.2.2'],
      searches: ['a.example', 'b.example', ';', 'c'],
      options: ['ndots:3'],
      findings: [],
    });
  });

  it('names a nameserver line without address', () => {
    expect(parseNodeResolvConf('\nnameserver\n').findings).toMatchObject([
      { code: 'FW4106', message: 'line 2: nameserver without an address' },
    ]);
  });
});

it('renders the file with the reason of each part', () => {
  expect(renderResolvConf(conf({ hostNetwork: true }))).toBe(
    [
      '# dnsPolicy ClusterFirst -> Default: ClusterFirst means Default on the host network',
      'search corp.example node.example',
      '#   corp.example: node resolv.conf (search)',
      '#   node.example: node resolv.conf (search)',
      'nameserver 192.0.2.53',
      '#   192.0.2.53: node resolv.conf (nameserver)',
      'options timeout:1 rotate',
      '#   timeout:1: node resolv.conf (options)',
      '#   rotate: node resolv.conf (options)',
      '# FW4102 the Pod is on the host network, so ClusterFirst silently means Default: it finds no Service by name',
      '#   Set dnsPolicy: ClusterFirstWithHostNet to have the Pod resolve Services.',
      '',
    ].join('\n'),
  );
});
