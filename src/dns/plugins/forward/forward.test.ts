/** Forwarding to upstreams that behave, that do not, and that lie. */
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createResponder, type PacketHandler } from '../../server/responder.ts';
import { createDnsServer } from '../../server/server.ts';
import { encodeQuery } from '../../wire/ask.ts';
import { decodeMessage } from '../../wire/decode.ts';
import type { Message } from '../../wire/message.ts';
import { ednsOption, rcode } from '../../wire/numbers.ts';
import { nameOf, parseQuery, type Query } from '../../wire/query.ts';
import { addressRecord, dataText } from '../../wire/records.ts';
import { emptyAnswer, encodeAnswer } from '../../wire/response.ts';
import { compileChain } from '../plugin.ts';
import { createForward, type ForwardOptions } from './forward.ts';
import type { Upstream } from './upstreams.ts';

const address = '127.80.1.1';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const queryOf = (packet: Uint8Array): Query => {
  const parsed = parseQuery(packet);
  if (!parsed.ok) throw new Error('not a query');
  return parsed.query;
};
const everything = { limit: 65_535, recursionAvailable: true };
const answerWith = (query: Query, ...addresses: string[]) =>
  encodeAnswer(
    query,
    { ...emptyAnswer(rcode.NOERROR), answers: addresses.map((a) => addressRecord(nameOf(query), 60, a)) },
    everything,
  );
const failWith = (query: Query, code: number) => encodeAnswer(query, emptyAnswer(code), everything);

/** An upstream on UDP and TCP that answers as it is told. */
async function upstream(handler: PacketHandler): Promise<Upstream> {
  const server = createDnsServer({ handler, listen: [{ address, port: 0 }] });
  const [bound] = await server.start();
  if (bound!.error) throw new Error(bound!.error.message);
  closers.push(() => server.close());
  return { address, port: bound!.port };
}

/** An upstream on UDP alone, which sends whatever it likes. */
async function udpUpstream(onQuery: (query: Query, send: (packet: Uint8Array) => void) => void): Promise<Upstream> {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (packet, from) =>
    onQuery(queryOf(packet), (answer) => socket.send(answer, from.port, from.address)),
  );
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  closers.push(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return { address, port: socket.address().port };
}

function forwarder(options: ForwardOptions) {
  const forward = createForward({ attemptTimeoutMs: 400, deadlineMs: 3000, ...options });
  closers.push(() => forward.close?.());
  const responder = createResponder({
    chain: compileChain([forward]),
    recursionAvailable: true,
    onError(error) {
      throw error;
    },
  });
  const ask = async (
    name: string,
    options: Parameters<typeof encodeQuery>[2] = {},
    protocol: 'udp' | 'local' = 'udp',
  ) => {
    const bytes = await responder.handle(encodeQuery(name, 1, { id: 7, ...options }), { address, port: 1, protocol });
    const decoded = decodeMessage(bytes as Uint8Array);
    if (!decoded.ok) throw new Error(decoded.error);
    return decoded.value;
  };
  return { ask, forward };
}

const addressesOf = (message: Message) => message.answers.map(({ data }) => dataText(data));

describe('forward', () => {
  it("answers with the upstream's answer, under the client's id and spelling, from new ids", async () => {
    const ids = new Set<number>();
    const to = await upstream((packet) => {
      ids.add(queryOf(packet).id);
      return answerWith(queryOf(packet), '192.0.2.1');
    });
    const { ask } = forwarder({ upstreams: [to] });
    const message = await ask('wWw.Example.org');
    expect(message).toMatchObject({ id: 7, rcode: 0, recursionAvailable: true });
    expect(message.questions[0]?.name).toBe('wWw.Example.org.');
    expect(addressesOf(message)).toEqual(['192.0.2.1']);
    for (let i = 0; i < 20; i++) await ask('a.example');
    expect(ids.size).toBeGreaterThan(15);
  });

  it('asks over TCP when UDP says TC, and fits the whole answer to the client', async () => {
    const many = Array.from({ length: 80 }, (_, i) => `192.0.2.${i}`);
    const to = await upstream((packet, client) => {
      const query = queryOf(packet);
      if (client.protocol === 'tcp') return answerWith(query, ...many);
      const cut = Buffer.from(answerWith(query));
      cut[2]! |= 0x02;
      return cut;
    });
    const { ask } = forwarder({ upstreams: [to] });
    expect(addressesOf(await ask('big.example', {}, 'local'))).toEqual(many);
    const small = await ask('big.example');
    expect(small.truncated).toBe(true);
    expect(small.answers.length).toBeGreaterThan(20);
  });

  it('hands on the truncated answer when TCP fails', async () => {
    const to = await udpUpstream((query, send) => {
      const cut = Buffer.from(answerWith(query, '192.0.2.1'));
      cut[2]! |= 0x02;
      send(cut);
    });
    expect(await forwarder({ upstreams: [to] }).ask('big.example')).toMatchObject({ truncated: true, rcode: 0 });
  });

  it('takes the next upstream when one is silent, closed or failing, and asks it first from then on', async () => {
    let silentAsked = 0;
    const silent = await udpUpstream(() => void silentAsked++);
    const failing = await upstream((packet) => failWith(queryOf(packet), rcode.SERVFAIL));
    const good = await upstream((packet) => answerWith(queryOf(packet), '192.0.2.2'));
    const closed: Upstream = { address, port: 1 };
    const { ask } = forwarder({ upstreams: [silent, closed, failing, good] });
    expect(addressesOf(await ask('a.example'))).toEqual(['192.0.2.2']);
    expect(addressesOf(await ask('b.example'))).toEqual(['192.0.2.2']);
    expect(silentAsked).toBe(1);
  });

  it('gives the last failure when all fail, and SERVFAIL when nobody answers or there is nobody', async () => {
    const refusing = await upstream((packet) => failWith(queryOf(packet), rcode.REFUSED));
    expect((await forwarder({ upstreams: [refusing] }).ask('a.example')).rcode).toBe(rcode.REFUSED);
    const silent = await udpUpstream(() => {});
    const { ask, forward } = forwarder({ upstreams: [silent] });
    expect((await ask('a.example')).rcode).toBe(rcode.SERVFAIL);
    expect(forward.metrics()).toMatchObject({ requests: 1, failures: 1, inFlight: 0 });
    expect((await forwarder({ upstreams: [] }).ask('a.example')).rcode).toBe(rcode.SERVFAIL);
  });

  it('passes over forged and broken packets and waits for the real answer', async () => {
    const to = await udpUpstream((query, send) => {
      send(Buffer.from('nonsense'));
      send(answerWith({ ...query, id: query.id ^ 1 }, '203.0.113.66'));
      send(answerWith(queryOf(encodeQuery('other.example', 1, { id: query.id })), '203.0.113.66'));
      send(query.packet);
      setTimeout(() => send(answerWith(query, '192.0.2.3')), 30);
    });
    expect(addressesOf(await forwarder({ upstreams: [to] }).ask('a.example'))).toEqual(['192.0.2.3']);
  });

  it('refuses more queries than it may have under way', async () => {
    const silent = await udpUpstream(() => {});
    const { ask, forward } = forwarder({ upstreams: [silent], maxInFlight: 2 });
    const codes = (await Promise.all([ask('a.example'), ask('b.example'), ask('c.example')])).map((m) => m.rcode);
    expect(codes).toEqual([rcode.SERVFAIL, rcode.SERVFAIL, rcode.REFUSED]);
    expect(forward.metrics().rejected).toBe(1);
  });

  it('keeps client subnet and DO, and keeps cookies to itself', async () => {
    const seen: Query[] = [];
    const to = await upstream((packet) => {
      seen.push(queryOf(packet));
      return answerWith(queryOf(packet), '192.0.2.1');
    });
    const subnet = { code: ednsOption.CLIENT_SUBNET, data: Buffer.from([0, 1, 8, 0, 10]) };
    const options = [{ code: ednsOption.COOKIE, data: Buffer.alloc(8) }, subnet];
    const { ask } = forwarder({ upstreams: [to] });
    await ask('a.example', { edns: { udpSize: 1232, version: 0, dnssecOk: true, options } });
    await ask('a.example');
    expect(seen[0]?.edns).toMatchObject({ dnssecOk: true, udpSize: 1232 });
    expect(seen[0]?.edns?.options.map(({ code }) => code)).toEqual([ednsOption.CLIENT_SUBNET]);
    expect(seen[1]?.edns).toBeUndefined();
  });

  it('survives an upstream that answers garbage over TCP, or hangs there', async () => {
    for (const say of ['\x00\x05hello', '\xff', ''] as const) {
      const tcp: Server = createServer((socket) => {
        socket.on('error', () => socket.destroy());
        socket.resume();
        socket.write(Buffer.from(say, 'latin1'));
      });
      await new Promise<void>((resolve) => tcp.listen(0, '127.80.1.2', resolve));
      closers.push(() => new Promise((resolve) => tcp.close(resolve)));
      const bound = tcp.address();
      const port = bound && typeof bound === 'object' ? bound.port : 0;
      const udp = createSocket('udp4');
      udp.on('message', (packet, from) => {
        const cut = Buffer.from(answerWith(queryOf(packet)));
        cut[2]! |= 0x02;
        udp.send(cut, from.port, from.address);
      });
      await new Promise<void>((resolve) => udp.bind(port, '127.80.1.2', resolve));
      closers.push(() => udp.close());
      const { ask } = forwarder({ upstreams: [{ address: '127.80.1.2', port }] });
      expect((await ask('a.example')).truncated).toBe(true);
    }
  });
});
