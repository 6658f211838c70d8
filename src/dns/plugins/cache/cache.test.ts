import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';
import { rcode } from '../../wire/numbers.ts';
import { createCacheStore } from './store.ts';

const address = '127.81.4.1';
const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

async function serve(text: string, options: Partial<Parameters<typeof serveCorefile>[1]> = {}): Promise<TestServer> {
  const server = await serveCorefile(text, { address, ...options });
  open.push(server);
  return server;
}

/** A cache in front of an upstream that counts, with a clock of our own. */
async function cached(cacheLines: string, upstreamLines: string) {
  const asked: string[] = [];
  const upstream = await serve(`. {\n log . "{name} {type}"\n ${upstreamLines}\n}`, {
    log: (_, line) => asked.push(line),
  });
  let now = 1_700_000_000_000;
  const server = await serve(
    `. {\n ${cacheLines}\n forward . ${address}:${upstream.port()} {\n max_fails 0\n max_connect_attempts 1\n read_timeout 150ms\n }\n}`,
    {
      clock: { now: () => now },
    },
  );
  return { server, asked, upstream, pass: (seconds: number) => (now += seconds * 1000) };
}

const answering = 'template IN A {\n answer "{{ .Name }} 60 IN A 192.0.2.1"\n}';
const settled = () => new Promise((resume) => setTimeout(resume, 60));

describe('cache', () => {
  it('answers again without asking, with the TTL running down, in the client’s spelling', async () => {
    const { server, asked, pass } = await cached('cache', answering);
    expect(await server.answers('a.test')).toBe('NOERROR a.test. 60 A 192.0.2.1');
    pass(20);
    const again = await server.ask('A.Test', 'A', { recursionDesired: false });
    expect(again).toMatchObject({ authoritative: true, recursionDesired: false, questions: [{ name: 'A.Test.' }] });
    expect(again.answers[0]).toMatchObject({ name: 'A.Test.', ttl: 40 });
    pass(41);
    expect(await server.answers('a.test')).toBe('NOERROR a.test. 60 A 192.0.2.1');
    expect(asked).toEqual(['a.test. A', 'a.test. A']);
  });

  it('keeps DO and CD apart, adds an OPT record only for who sent one', async () => {
    const { server, asked } = await cached('cache', answering);
    const edns = { udpSize: 1232, version: 0, dnssecOk: true, options: [] };
    expect((await server.ask('a.test')).edns).toBeUndefined();
    expect((await server.ask('a.test', 'A', { edns })).edns?.dnssecOk).toBe(true);
    expect((await server.ask('a.test', 'A', { edns })).edns?.dnssecOk).toBe(true);
    await server.ask('a.test', 'A', { checkingDisabled: true });
    expect(asked).toHaveLength(3);
  });

  it('holds TTLs within its limits', async () => {
    const short = 'template IN A {\n answer "{{ .Name }} 1 IN A 192.0.2.1"\n}';
    expect(await (await cached('cache 30', answering)).server.answers('a.test')).toContain(' 30 A ');
    expect(await (await cached('cache', short)).server.answers('a.test')).toContain(' 5 A ');
    expect(await (await cached('cache {\n success 2000 100 20\n}', short)).server.answers('a.test')).toContain(
      ' 20 A ',
    );
    const keep = await cached('cache {\n keepttl\n}', answering);
    await keep.server.ask('a.test');
    keep.pass(30);
    expect(await keep.server.answers('a.test')).toContain(' 60 A ');
  });

  it('keeps denials with a SOA record and failures for a while, and nothing else', async () => {
    const denial = 'template IN A {\n rcode NXDOMAIN\n authority "test. 60 IN SOA ns.test. m.test. 1 1 1 1 20"\n}';
    const first = await cached('cache', denial);
    for (let i = 0; i < 3; i++) expect(await first.server.answers('a.test')).toBe('NXDOMAIN');
    expect((await first.server.ask('a.test')).authority[0]?.ttl).toBe(20);
    expect(first.asked).toHaveLength(1);
    const bare = await cached('cache', 'template IN A {\n rcode NXDOMAIN\n}');
    for (let i = 0; i < 2; i++) await bare.server.ask('a.test');
    expect(bare.asked).toHaveLength(2);
    const failing = await cached('cache {\n servfail 10s\n}', 'template IN A {\n rcode SERVFAIL\n}');
    for (let i = 0; i < 2; i++) expect(await failing.server.answers('a.test')).toBe('SERVFAIL');
    failing.pass(11);
    await failing.server.ask('a.test');
    expect(failing.asked).toHaveLength(2);
  });

  it('leaves zones out that are disabled', async () => {
    const { server, asked } = await cached('cache 30 {\n disable success a.test\n}', answering);
    for (const name of ['x.a.test', 'x.a.test', 'b.test', 'b.test']) await server.ask(name);
    expect(asked).toEqual(['x.a.test. A', 'x.a.test. A', 'b.test. A']);
  });

  it('asks once for all who ask the same at the same time', async () => {
    const { server, asked } = await cached('cache', `erratic {\n delay 1 100ms\n}`);
    const answers = await Promise.all(Array.from({ length: 10 }, () => server.answers('a.test')));
    expect(new Set(answers)).toEqual(new Set(['NOERROR a.test. 5 A 192.0.2.53']));
    expect(asked).toHaveLength(1);
  });

  it('fetches what is much used before it ends', async () => {
    const { server, asked, pass } = await cached('cache {\n prefetch 2 1m 50%\n}', answering);
    await server.ask('a.test');
    await server.ask('a.test');
    pass(40);
    expect(await server.answers('a.test')).toContain(' 20 A ');
    await settled();
    expect(asked).toHaveLength(2);
    expect(await server.answers('a.test')).toContain(' 60 A ');
  });

  it.each(['immediate', 'verify'])('serves what has ended while the upstream is gone: %s', async (mode) => {
    const { server, upstream, pass } = await cached(`cache {\n serve_stale 1h ${mode}\n servfail 0s\n}`, answering);
    await server.ask('a.test');
    await upstream.stop();
    pass(70);
    expect(await server.answers('a.test')).toBe('NOERROR a.test. 0 A 192.0.2.1');
    expect(server.server.metrics.expose()).toMatch(/coredns_cache_served_stale_total\{.*\} 1/);
    pass(3600);
    await settled();
    expect((await server.ask('a.test')).rcode).toBe(rcode.SERVFAIL);
  });

  it('refuses what makes no sense', async () => {
    await expect(serve('. {\n cache 0\n}')).rejects.toThrow('Corefile:2');
    await expect(serve('. {\n cache {\n serve_stale_policy prefer_positive\n }\n}')).rejects.toThrow(
      'requires serve_stale',
    );
    await expect(serve('. {\n cache {\n servfail 10m\n }\n}')).rejects.toThrow('over 5 minutes');
  });
});

describe('the store', () => {
  it('never holds more than it may, and keeps what is used', () => {
    const store = createCacheStore<number>(3);
    for (const [i, key] of ['a', 'b', 'c'].entries()) store.put(key, i);
    store.get('a');
    expect(store.put('d', 3)).toBe(true);
    expect([store.size, store.get('a'), store.get('b'), store.get('d')]).toEqual([3, 0, undefined, 3]);
    for (let i = 0; i < 1000; i++) store.put(`k${i}`, i);
    expect(store.size).toBe(3);
  });
});
