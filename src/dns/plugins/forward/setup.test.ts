/** The options of the plugin, each through servers. */
import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';
import { parseTarget } from './targets.ts';

const address = '127.81.7.1';
const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

async function serve(lines: string, options: Partial<Parameters<typeof serveCorefile>[1]> = {}): Promise<TestServer> {
  const server = await serveCorefile(`. {\n ${lines}\n}`, { address, ...options });
  open.push(server);
  return server;
}
const answering = (value: string, count?: string[]) =>
  serve(`log . "{proto}"\n template IN A {\n answer "{{ .Name }} 60 IN A ${value}"\n }`, {
    log: (_, line) => count?.push(line),
  });
const failing = (code: string) => serve(`template ANY ANY {\n rcode ${code}\n }`);
const to = (...servers: TestServer[]) => servers.map((server) => `${address}:${server.port()}`).join(' ');
const quick = 'read_timeout 100ms\n health_check 50ms';

describe('forward', () => {
  it('goes round, or keeps the order', async () => {
    const [a, b] = [await answering('192.0.2.1'), await answering('192.0.2.2')];
    const ask = async (policy: string) => {
      const server = await serve(`forward . ${to(a, b)} {\n policy ${policy}\n }`);
      const seen: string[] = [];
      for (let i = 0; i < 4; i++) seen.push((await server.answers('a.test')).at(-1)!);
      return seen.join('');
    };
    expect(await ask('round_robin')).toBe('1212');
    expect(await ask('sequential')).toBe('1111');
    await expect(ask('best')).rejects.toThrow("unknown policy 'best'");
  });

  it('takes the zone that it is for, without the exceptions, and leaves the rest to the next one', async () => {
    const [a, b] = [await answering('192.0.2.1'), await answering('192.0.2.2')];
    const server = await serve(`forward corp.test ${to(a)} {\n except x.corp.test\n }\n forward . ${to(b)}`);
    expect(await server.answers('a.corp.test')).toContain('192.0.2.1');
    expect(await server.answers('y.x.corp.test')).toContain('192.0.2.2');
    expect(await server.answers('a.test')).toContain('192.0.2.2');
  });

  it('asks over TCP when told so, or as the client did', async () => {
    const seen: string[] = [];
    const upstream = await answering('192.0.2.1', seen);
    const plain = await serve(`forward . ${to(upstream)}`);
    await plain.ask('a.test');
    await plain.ask('a.test', 'A', { tcp: true });
    await (await serve(`forward . ${to(upstream)} {\n prefer_udp\n }`)).ask('a.test', 'A', { tcp: true });
    await (await serve(`forward . ${to(upstream)} {\n force_tcp\n }`)).ask('a.test');
    expect(seen).toEqual(['udp', 'tcp', 'udp', 'tcp']);
  });

  it('fails over by rcode, or goes on to the next forwarder', async () => {
    const [bad, good] = [await failing('NXDOMAIN'), await answering('192.0.2.2')];
    const over = await serve(`forward . ${to(bad, good)} {\n policy sequential\n failover NXDOMAIN\n }`);
    expect(await over.answers('a.test')).toContain('192.0.2.2');
    const next = await serve(`forward . ${to(bad)} {\n next NXDOMAIN\n }\n forward . ${to(good)}`);
    expect(await next.answers('a.test')).toContain('192.0.2.2');
    const plain = await serve(`forward . ${to(bad)}\n forward . ${to(good)}`);
    expect(await plain.answers('a.test')).toBe('NXDOMAIN');
    const nodata = await serve(
      `forward . ${to(await failing('NOERROR'))} {\n next_on_nodata\n }\n forward . ${to(good)}`,
    );
    expect(await nodata.answers('a.test')).toContain('192.0.2.2');
    await expect(serve(`forward . ${to(good)} {\n failover NOERROR\n }`)).rejects.toThrow('NoError cannot be used');
  });

  it('passes over an upstream that is down until it is well again', async () => {
    const good = await answering('192.0.2.2');
    const asked: string[] = [];
    const silent = createSocket('udp4').on('message', (packet) => asked.push(packet.toString('latin1')));
    await new Promise<void>((bound) => silent.bind(5353, '127.81.7.99', bound));
    const gone = '127.81.7.99:5353';
    const server = await serve(
      `errors\n forward . ${gone} ${to(good)} {\n policy sequential\n max_fails 1\n ${quick}\n }`,
    );
    expect(await server.answers('a.test')).toContain('192.0.2.2');
    const counted = () =>
      /healthcheck_failures_total\{[^}]*5353"\} (\d+)/.exec(server.server.metrics.expose())?.[1] ?? '0';
    const end = performance.now() + 5000;
    while (Number(counted()) < 3 && performance.now() < end) await new Promise((resume) => setTimeout(resume, 20));
    expect(await server.answers('b.test')).toContain('192.0.2.2');
    expect(asked.filter((packet) => packet.includes('\x01a\x04test'))).toHaveLength(1);
    expect(asked.filter((packet) => packet.includes('\x01b\x04test'))).toEqual([]);
    await new Promise<void>((closed) => silent.close(() => closed()));
    const alone = await serve(`errors\n forward . ${gone} {\n max_connect_attempts 1\n ${quick}\n }`);
    expect(await alone.answers('a.test')).toBe('SERVFAIL');
    expect(alone.logs[0]).toMatch(/^\[ERROR\] plugin\/errors: 2 a\.test\. A: 127\.81\.7\.99:5353: /);
  });

  it('refuses more queries than it may have under way', async () => {
    const slow = await serve('erratic {\n delay 1 200ms\n }');
    const server = await serve(`errors\n forward . ${to(slow)} {\n max_concurrent 2\n }`);
    const answers = await Promise.all(['a.test', 'b.test', 'c.test'].map((name) => server.answers(name)));
    expect(answers.filter((answer) => answer === 'REFUSED')).toHaveLength(1);
    expect(server.server.metrics.expose()).toContain('coredns_forward_max_concurrent_rejects_total 1');
    expect(server.logs[0]).toContain('concurrent queries exceeded maximum 2');
  });

  it.each([
    ['1.1.1.1', { address: '1.1.1.1', port: 53, protocol: 'dns' }],
    ['dns://1.1.1.1:54', { address: '1.1.1.1', port: 54, protocol: 'dns' }],
    ['tls://1.1.1.1%one.one', { address: '1.1.1.1', port: 853, protocol: 'tls', serverName: 'one.one' }],
    ['tls://[fd00::1]:8853', { address: 'fd00::1', port: 8853, protocol: 'tls' }],
    ['fd00::1', { address: 'fd00::1', port: 53, protocol: 'dns' }],
    ['fe80::1%eth0', { address: 'fe80::1%eth0', port: 53, protocol: 'dns' }],
    ['https://9.9.9.9', { address: '9.9.9.9', port: 443, protocol: 'https' }],
    ['resolver.test:5353', { host: 'resolver.test', port: 5353, protocol: 'dns' }],
    ['https://9.9.9.9/dns-query', undefined],
    ['grpc://9.9.9.9', undefined],
    ['1.1.1.1:0', undefined],
    ['1.1.1.300', undefined],
    ['/no/such/file', undefined],
  ])('reads the target %s', (text, expected) => {
    const parsed = parseTarget(text);
    expect(parsed.ok ? parsed.value : undefined).toEqual(expected);
  });
});
