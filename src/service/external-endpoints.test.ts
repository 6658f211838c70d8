import { createSocket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExternalEndpoints, type ExternalOptions, type ResolvedAddress } from './external-endpoints.ts';

type Answer = readonly ResolvedAddress[] | Error;

/** Names as a test wants them, and what came of them. */
function createPlace(options: ExternalOptions = {}, families?: readonly ('IPv4' | 'IPv6')[]) {
  const records = new Map<string, Answer>();
  const asked: string[] = [];
  const seen: string[] = [];
  const problems: string[] = [];
  let gate: Promise<void> | undefined;
  const externals = createExternalEndpoints(
    {
      async resolve(hostname, family) {
        asked.push(family === 'IPv4' ? hostname : `${hostname} ${family}`);
        await gate;
        const answer = records.get(family === 'IPv4' ? hostname : `${hostname} ${family}`) ?? [];
        if (answer instanceof Error) throw answer;
        return answer;
      },
      ...options,
    },
    {
      ...(families && { families }),
      onChange: (id, list) =>
        seen.push(`${id} ${list?.map(({ address, port }) => `${address}:${port}`).join() ?? 'gone'}`),
      onProblem: (message) => problems.push(message),
    },
  );
  return {
    ...{ records, asked, seen, problems, externals },
    hold: () => {
      let open = () => {};
      gate = new Promise((resolve) => {
        open = resolve;
      });
      return () => {
        gate = undefined;
        open();
      };
    },
  };
}

const at = (address: string, ttl = 60): ResolvedAddress => ({ address, ttl });

describe('endpoints of names outside of the cluster', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it('are the addresses of the name, and follow it when its records have had their time', async () => {
    const { records, asked, seen, externals } = createPlace();
    records.set('a.example', [at('10.0.0.2', 30), at('10.0.0.1', 40)]);
    externals.add({ id: 'a', hostname: 'a.example', port: 443 });
    await pass(0);
    expect(seen).toEqual(['a ', 'a 10.0.0.1:443,10.0.0.2:443']);
    records.set('a.example', [at('10.0.0.3', 30)]);
    await pass(29_000);
    expect(asked).toHaveLength(1);
    await pass(2_000);
    expect(seen.at(-1)).toBe('a 10.0.0.3:443');
    await pass(31_000);
    expect(asked).toHaveLength(3);
    expect(seen).toHaveLength(3);
    externals.stop();
    await pass(600_000);
    expect(asked).toHaveLength(3);
  });

  it('are looked up once for all backends of a name, and no more when nobody asks', async () => {
    const { records, asked, seen, externals } = createPlace();
    records.set('a.example', [at('10.0.0.1')]);
    externals.add({ id: 'one', hostname: 'a.example', port: 80 });
    externals.add({ id: 'two', hostname: 'a.example', port: 443 });
    await pass(0);
    externals.add({ id: 'three', hostname: 'a.example', port: 8443 });
    expect(asked).toEqual(['a.example']);
    expect(seen.slice(-3)).toEqual(['one 10.0.0.1:80', 'two 10.0.0.1:443', 'three 10.0.0.1:8443']);
    for (const id of ['one', 'two', 'three']) externals.forget(id);
    expect(seen.at(-1)).toBe('three gone');
    await pass(600_000);
    expect(asked).toHaveLength(1);
  });

  it('become those of another name or port', async () => {
    const { records, asked, seen, externals } = createPlace();
    records.set('a.example', [at('10.0.0.1')]).set('b.example', [at('10.0.0.2')]);
    externals.add({ id: 'x', hostname: 'a.example', port: 80 });
    await pass(0);
    externals.add({ id: 'x', hostname: 'a.example', port: 81 });
    externals.add({ id: 'x', hostname: 'b.example', port: 81 });
    await pass(0);
    expect(seen).toEqual(['x ', 'x 10.0.0.1:80', 'x 10.0.0.1:81', 'x ', 'x 10.0.0.2:81']);
    await pass(61_000);
    expect(asked).toEqual(['a.example', 'b.example', 'b.example']);
  });

  it('are never those of the machine or of link-local services, unless that is permitted', async () => {
    const place = createPlace({ allowed: ['127.0.0.9'] });
    place.records.set('a.example', [at('127.0.0.1'), at('169.254.169.254'), at('10.0.0.1'), at('127.0.0.9')]);
    place.externals.add({ id: 'x', hostname: 'a.example', port: 80 });
    await pass(0);
    expect(place.seen.at(-1)).toBe('x 10.0.0.1:80,127.0.0.9:80');
    expect(place.problems).toEqual([expect.stringMatching(/^a\.example leads to 127\.0\.0\.1,/)]);
  });

  it('outlast failures for a while, but not a name that is gone', async () => {
    const place = createPlace({ staleMs: 20_000, retryMs: 5_000 });
    place.records.set('a.example', [at('10.0.0.1', 5)]);
    place.externals.add({ id: 'x', hostname: 'a.example', port: 80 });
    await pass(0);
    place.records.set('a.example', new Error('SERVFAIL'));
    await pass(16_000);
    expect(place.seen.at(-1)).toBe('x 10.0.0.1:80');
    expect(place.problems).toEqual(['a.example cannot be resolved: SERVFAIL']);
    await pass(10_000);
    expect(place.seen.at(-1)).toBe('x ');
    place.records.set('a.example', [at('10.0.0.1', 5)]);
    await pass(5_000);
    expect(place.seen.at(-1)).toBe('x 10.0.0.1:80');
    place.records.set('a.example', []);
    await pass(5_000);
    expect(place.seen.at(-1)).toBe('x ');
    expect(place.problems.at(-1)).toBe('a.example has no address');
  });

  it('are asked for neither too often nor too seldom, whatever the records say', async () => {
    const place = createPlace({ minTtlMs: 10_000, maxTtlMs: 20_000 });
    place.records.set('quick.example', [at('10.0.0.1', 0)]).set('slow.example', [at('10.0.0.1', 86_400)]);
    place.externals.add({ id: 'quick', hostname: 'quick.example', port: 80 });
    place.externals.add({ id: 'slow', hostname: 'slow.example', port: 80 });
    await pass(40_500);
    const count = (name: string) => place.asked.filter((one) => one === name).length;
    expect([count('quick.example'), count('slow.example')]).toEqual([5, 3]);
  });

  it('are bounded in number, and so are lookups', async () => {
    const place = createPlace({ maxAddresses: 2, maxLookups: 2 });
    for (let i = 0; i < 5; i++) place.records.set(`${i}.example`, [at('10.0.0.3'), at('10.0.0.1'), at('10.0.0.2')]);
    const open = place.hold();
    for (let i = 0; i < 5; i++) place.externals.add({ id: `${i}`, hostname: `${i}.example`, port: 80 });
    await pass(0);
    expect(place.asked).toHaveLength(2);
    open();
    await pass(0);
    expect(place.asked).toHaveLength(5);
    expect(place.seen.at(-1)).toBe('4 10.0.0.1:80,10.0.0.2:80');
  });

  it('are asked of the DNS servers named', async () => {
    vi.useRealTimers();
    const socket = createSocket('udp4');
    socket.on('message', (query, from) => {
      // The question again, with one answer: its name by a pointer, A, IN, 60 s.
      const answer = Buffer.from(query.subarray(0, query.indexOf(0, 12) + 5));
      answer.writeUInt16BE(0x8180, 2);
      answer.fill(0, 6, 12);
      answer.writeUInt16BE(1, 6);
      const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, 2, 3]);
      socket.send(Buffer.concat([answer, record]), from.port, from.address);
    });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const seen: string[] = [];
    const externals = createExternalEndpoints(
      { servers: [`127.0.0.1:${socket.address().port}`] },
      {
        onChange: (_id, list) => seen.push(...(list ?? []).map(({ address }) => address)),
        onProblem: (why) => seen.push(why),
      },
    );
    externals.add({ id: 'x', hostname: 'a.example', port: 80 });
    await vi.waitFor(() => expect(seen).toEqual(['10.1.2.3']));
    externals.stop();
    socket.close();
  });

  it('are of both families where both are wanted, and of one where the other fails', async () => {
    const place = createPlace({}, ['IPv4', 'IPv6']);
    place.records.set('a.example', new Error('SERVFAIL')).set('a.example IPv6', [at('2001:db8::1')]);
    place.externals.add({ id: 'x', hostname: 'a.example', port: 80 });
    await pass(0);
    expect(place.seen.at(-1)).toBe('x 2001:db8::1:80');
  });
});
