import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';
import { rcode } from '../../wire/numbers.ts';
import { parseQuery } from '../../wire/query.ts';
import { addressRecord } from '../../wire/records.ts';
import { emptyAnswer, encodeAnswer } from '../../wire/response.ts';
import { createCacheStore } from './store.ts';

const address = '127.81.4.1';
const open: TestServer[] = [];
const closers: (() => void)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
  for (const close of closers.splice(0)) close();
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

/** A server with these lines in front of an upstream that validates, and says so to who asks with AD (RFC 6840). */
async function behindValidator(lines: string) {
  const authentic: boolean[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (packet, from) => {
    const parsed = parseQuery(packet);
    if (!parsed.ok) return;
    const { authenticData } = parsed.query;
    authentic.push(authenticData);
    const answers = ['192.0.2.1', '192.0.2.2'].map((ip) => addressRecord('a.test.', 60, ip));
    const answer = { ...emptyAnswer(rcode.NOERROR), answers, authenticData };
    const options = { limit: 1232, recursionAvailable: true };
    socket.send(encodeAnswer(parsed.query, answer, options), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  closers.push(() => socket.close());
  const upstream = `${address}:${socket.address().port}`;
  return { authentic, server: await serve(`. {\n ${lines}\n forward . ${upstream}\n}`) };
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
    expect(await server.ask('x.a.test')).toMatchObject({ answers: [{ ttl: 30 }] });
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

  it('goes on fetching what was much used, with fewer uses', async () => {
    const { server, asked, pass } = await cached('cache {\n prefetch 3 1m 50%\n}', answering);
    for (let i = 0; i < 3; i++) await server.ask('a.test');
    for (let i = 2; i < 5; i++) {
      pass(40);
      await server.ask('a.test');
      await settled();
      expect(asked).toHaveLength(i);
    }
  });

  it('does not mind that somebody sets the clock of the host', async () => {
    const { port } = await serve(`. {\n ${answering}\n}`).then((upstream) => ({ port: upstream.port() }));
    const server = await serve(`. {\n cache\n forward . ${address}:${port}\n}`);
    await server.ask('a.test');
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now');
    for (const moved of [-3_600_000, 3_600_000]) {
      clock.mockReturnValue(now + moved);
      expect(await server.answers('a.test')).toMatch(/ (60|59|58) A /);
    }
    clock.mockRestore();
    expect(server.server.metrics.expose()).toMatch(/coredns_cache_hits_total\{.*\} 2/);
  });

  it('keeps NOTIMP like SERVFAIL', async () => {
    const { server, asked } = await cached('cache', 'template IN A {\n rcode NOTIMP\n}');
    for (let i = 0; i < 2; i++) expect((await server.ask('a.test')).rcode).toBe(rcode.NOTIMP);
    expect(asked).toHaveLength(1);
  });

  it('says what has ended with its TTL where TTLs stand still', async () => {
    const { server, upstream, pass } = await cached('cache {\n serve_stale\n keepttl\n}', answering);
    await server.ask('a.test');
    await upstream.stop();
    pass(70);
    expect(await server.answers('a.test')).toBe('NOERROR a.test. 60 A 192.0.2.1');
  });

  it('counts the items of both halves, also when an answer takes the place of a denial', async () => {
    const unknown = 'template IN A {\n rcode NXDOMAIN\n authority "test. 60 IN SOA ns.test. m.test. 1 1 1 1 20"\n}';
    const { server, upstream, pass } = await cached('cache', `${unknown}`);
    const entries = () =>
      [...server.server.metrics.expose().matchAll(/cache_entries\{.*type="(\w+)".*\} (\d)/g)].map(
        ([, type, count]) => `${type} ${count}`,
      );
    await server.ask('a.test');
    expect(entries()).toEqual(['success 0', 'denial 1']);
    const port = upstream.port();
    await upstream.stop();
    await serve(`. {\n ${answering}\n}`, { mapAddress: () => ({ host: address, port }) });
    pass(30);
    expect(await server.answers('a.test')).toContain('NOERROR');
    expect(entries()).toEqual(['success 1', 'denial 0']);
  });

  it('keeps whether an answer is authentic for those who ask for it, and tells nobody else', async () => {
    const { server, authentic } = await behindValidator('cache');
    const edns = { udpSize: 1232, version: 0, dnssecOk: true, options: [] };
    const ad = async (options: object) => (await server.ask('a.test', 'A', options)).authenticData;
    expect([await ad({}), await ad({ authenticData: true }), await ad({}), await ad({ edns })]).toEqual([
      ...[false, true, false, true],
    ]);
    expect(authentic).toEqual([true, true]);
    const plain = await behindValidator('loadbalance');
    expect((await plain.server.ask('a.test')).authenticData).toBe(false);
    expect((await plain.server.ask('a.test', 'A', { authenticData: true })).authenticData).toBe(true);
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

type Item = { readonly name: string; used: boolean };

describe('the store', () => {
  it('never holds more than it may, and keeps what is used', () => {
    const item = (name: string) => ({ name, used: false });
    const store = createCacheStore<ReturnType<typeof item>>(3);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(item) as [Item, Item, Item, Item];
    for (const one of [a, b, c]) store.put(one.name, one);
    store.get('a');
    expect(store.put('d', d)).toBe(b);
    expect([store.size, store.get('a'), store.get('b'), store.get('d')]).toEqual([3, a, undefined, d]);
    for (let i = 0; i < 1000; i++) store.put(`k${i}`, item(`k${i}`));
    expect(store.size).toBe(3);
  });

  it('keeps what is used by those who do not ask it', () => {
    const store = createCacheStore<Item>(2);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name, used: false })) as [Item, Item, Item];
    for (const one of [a, b]) store.put(one.name, one);
    a.used = true;
    expect(store.put('c', c)).toBe(b);
  });
});
