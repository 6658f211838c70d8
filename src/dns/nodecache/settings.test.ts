import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NodeCacheSettings, nodeCacheUsage, parseNodeCacheCommand } from './settings.ts';

function settings(...words: string[]): NodeCacheSettings {
  const parsed = parseNodeCacheCommand(words);
  if (!parsed.ok) throw new Error(parsed.error);
  if (parsed.value.kind !== 'run') throw new Error(parsed.value.kind);
  return parsed.value.settings;
}

function refusal(...words: string[]): string {
  const parsed = parseNodeCacheCommand(words);
  return parsed.ok ? 'taken' : parsed.error;
}

describe('the command line of the node cache', () => {
  it('has the defaults of node-cache', () => {
    expect(settings('-localip', '169.254.20.10')).toEqual({
      localIps: [{ text: '169.254.20.10', version: 4 }],
      dnsPort: 53,
      healthPort: 8080,
      setupInterface: true,
      interfaceName: 'nodelocaldns',
      syncIntervalMs: 60_000,
      setupRules: true,
      rules: 'auto',
      skipTeardown: false,
      baseCorefile: '/etc/coredns/Corefile.base',
      corefile: '/etc/Corefile',
      configIntervalMs: 10_000,
      upstreamService: 'kube-dns',
      metricsAddress: '0.0.0.0:9353',
      prometheusAddress: ':9253',
      reloadWithSignal: false,
      quiet: false,
    });
  });

  it('takes the arguments of the usual DaemonSet', () => {
    const words = '-localip 169.254.20.10,10.96.0.10 -conf /etc/Corefile -upstreamsvc kube-dns-upstream';
    expect(settings(...words.split(' '))).toMatchObject({
      localIps: [{ text: '169.254.20.10' }, { text: '10.96.0.10' }],
      corefile: '/etc/Corefile',
      upstreamService: 'kube-dns-upstream',
    });
    expect(
      settings('-localip=169.254.20.10', '-conf', '/etc/Corefile', '-setupinterface=false', '-setupiptables=false'),
    ).toMatchObject({ setupInterface: false, setupRules: false });
  });

  it('reads every spelling that Go reads', () => {
    const spellings = [
      ['-localip', '10.0.0.1'],
      ['--localip', '10.0.0.1'],
      ['-localip=10.0.0.1'],
      ['--localip=10.0.0.1'],
    ];
    for (const words of spellings) expect(settings(...words).localIps[0]!.text).toBe('10.0.0.1');
    for (const [word, value] of [
      ['-skipteardown', true],
      ['--skipteardown', true],
      ['-skipteardown=T', true],
      ['-skipteardown=0', false],
    ] as const)
      expect(settings('-localip=10.0.0.1', word).skipTeardown).toBe(value);
    expect(settings('-localip=10.0.0.1', '-localip=10.0.0.2').localIps[0]!.text).toBe('10.0.0.2');
    expect(settings('-localip=10.0.0.1', '-p', '5353').dnsPort).toBe(5353);
    expect(settings('-localip=10.0.0.1', '-dns.port=5354', '--').dnsPort).toBe(5354);
    expect(settings('-localip=10.0.0.1', '-corefile=/a').corefile).toBe('/a');
    expect(settings('-localip=10.0.0.1', '-corefile=/a', '-conf=/b').corefile).toBe('/b');
  });

  it('takes both families at once, each address once, in canonical form', () => {
    expect(settings('-localip', '169.254.20.10,FD00:0::10, 169.254.20.10').localIps).toEqual([
      { text: '169.254.20.10', version: 4 },
      { text: 'fd00::10', version: 6 },
    ]);
  });

  it.each([
    ['60', 60_000],
    ['5s', 5000],
    ['1m30s', 90_000],
    // node-cache multiplies a duration by a second: this is its minute.
    ['60ns', 60_000],
  ])('reads a syncinterval of %s', (text, ms) => {
    expect(settings('-localip=10.0.0.1', '-syncinterval', text).syncIntervalMs).toBe(ms);
  });

  it.each([
    [[], 'invalid localip specified - ""'],
    [['-localip', '10.0.0.256'], 'invalid localip specified - "10.0.0.256"'],
    [['-localip', '10.0.0.1,'], 'invalid localip specified - ""'],
    [['-localip', '0.0.0.0'], 'localip must be one address, not all: 0.0.0.0'],
    [['-localip', 'fe80::1'], 'localip fe80::1 is link-local: Pods cannot ask it without a zone; take one of fd00::/8'],
    [['-localip'], 'flag needs an argument: -localip'],
    [['-local', '10.0.0.1'], 'flag provided but not defined: -local'],
    [['-localip=10.0.0.1', 'serve'], 'extra command line arguments: serve'],
    [['-localip=10.0.0.1', '---x'], 'bad flag syntax: ---x'],
    [['-localip=10.0.0.1', '-=x'], 'bad flag syntax: -=x'],
    [['-localip=10.0.0.1', '-setupiptables=yes'], 'invalid boolean value "yes" for -setupiptables'],
    [['-localip=10.0.0.1', '-health-port', '0'], 'invalid port for -health-port: "0"'],
    [['-localip=10.0.0.1', '-dns.port', 'dns'], 'invalid port for -dns.port: "dns"'],
    [['-localip=10.0.0.1', '-rules', 'pf'], '-rules takes auto, iptables or nftables, not "pf"'],
    [['-localip=10.0.0.1', '-interfacename', 'much-too-long-for-it'], /^invalid interfacename/],
    [['-localip=10.0.0.1', '-interfacename', '-x'], /^invalid interfacename/],
    [['-localip=10.0.0.1', '-syncinterval', '-5s'], /^invalid value "-5s" for -syncinterval/],
    [['-localip=10.0.0.1', '-metrics-listen-address', 'here'], /^not an address with a port/],
    [[`-localip=${Array.from({ length: 17 }, (_, i) => `10.0.0.${i + 1}`)}`], /more than 16/],
  ])('refuses %j', (words, reason) => {
    expect(refusal(...words)).toEqual(typeof reason === 'string' ? reason : expect.stringMatching(reason));
  });

  it('never fails in another way, whatever the words', () => {
    const word = fc.oneof(
      fc.string(),
      fc.string().map((text) => `-${text}`),
      fc.constantFrom('-localip', '--', '-p', '-h'),
    );
    fc.assert(fc.property(fc.array(word, { maxLength: 6 }), (words) => void parseNodeCacheCommand(words)));
  });

  it('lists every flag with its default', () => {
    expect(parseNodeCacheCommand(['-localip', 'x', '-help'])).toEqual({ ok: true, value: { kind: 'help' } });
    expect(nodeCacheUsage()).toContain(
      '  -interfacename value\n        name of that interface (default nodelocaldns)\n',
    );
    expect(nodeCacheUsage().match(/^ {2}-/gm)).toHaveLength(23);
  });
});
