/**
 * A whole server under hostile packets, over UDP, TCP, TLS and HTTPS: the corpus and random damage. Nothing may throw,
 * nothing may hang, and the next good question is answered.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import packet from 'dns-packet';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../src/dns/testing.ts';
import { encodeQuery } from '../../src/dns/wire/ask.ts';
import { decodeMessage } from '../../src/dns/wire/decode.ts';
import { rcodeName, recordType } from '../../src/dns/wire/numbers.ts';
import { createStore } from '../../src/kube/store/store.ts';
import type { KubeObject } from '../../src/kube/types/index.ts';
import { corpus } from '../support/corpus.ts';
import { makeTlsFolder, type TlsFolder } from '../support/tls-files.ts';

const address = '127.82.4.20';
const upstreamAddress = '127.82.4.21';
let files: TlsFolder;
let server: TestServer;
let upstream: UdpSocket;
/** What the upstream sends back for a query; undefined: nothing. */
let reply: (query: Buffer) => Buffer | undefined = (query) =>
  Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x85]), query.subarray(4)]);

/** Plugins that look into queries and answers, over all transports. */
const corefile = (tls: string, port: number) => `.:53 tls://.:853 https://.:443 {
    ${tls}
    metadata
    errors
    log
    prometheus :9153
    nsid
    bufsize 1232
    local
    dns64
    any
    loadbalance
    rewrite name regex (.*)\\.rewritten\\.test {1}.shop.svc.cluster.local answer auto
    rewrite edns0 subnet set 24 56
    acl {
        block type AXFR IXFR
    }
    cache 30
    header {
        response set ra
    }
    minimal
    template IN TXT template.test {
        match "^(?P<word>[^.]*)\\.template\\.test\\.$"
        answer "{{ .Name }} 60 IN TXT \\"{{ .Group.word }}\\""
        fallthrough
    }
    hosts {
        192.0.2.44 printer.test
        fallthrough
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough
    }
    forward . ${upstreamAddress}:${port} {
        max_connect_attempts 1
        read_timeout 50ms
        health_check 0
    }
}
`;

function cluster() {
  const store = createStore();
  store.put('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } } as KubeObject);
  store.put('services', {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } },
    spec: { clusterIP: '10.96.0.7', ports: [{ name: 'http', port: 80 }] },
  } as KubeObject);
  return store;
}

beforeAll(async () => {
  files = makeTlsFolder('dns.test');
  upstream = createSocket('udp4');
  upstream.on('message', (query, from) => {
    const answer = reply(query);
    if (answer) upstream.send(answer, from.port, from.address, () => {});
  });
  await new Promise<void>((resolve) => upstream.bind(0, upstreamAddress, resolve));
  const tls = `tls ${files.path('server.crt')} ${files.path('server.key')}`;
  server = await serveCorefile(corefile(tls, upstream.address().port), { address, store: cluster() });
});
afterAll(async () => {
  await server.stop();
  upstream.close();
  files.remove();
});

const framed = (message: Uint8Array) =>
  Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]);
const goodId = 0xbeef;
const good = Buffer.from(encodeQuery('web.shop.svc.cluster.local.', recordType.A, { id: goodId }));

/** Sends packets on one flow and a good question behind them; gives the answers once the good one and `least` are there. */
interface Flow {
  ask(packets: readonly Buffer[], least: number): Promise<Buffer[]>;
  close(): void;
}

function collect(least: number, add: (found: (message: Buffer) => void) => void, send: () => void): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const answers: Buffer[] = [];
    let wasGood = false;
    const missing = () => reject(new Error(`${answers.length} answers; the good question: ${wasGood}`));
    const timer = setTimeout(missing, 8000);
    add((message) => {
      if (message.readUInt16BE(0) === goodId) wasGood = true;
      else answers.push(message);
      if (!wasGood || answers.length < least) return;
      clearTimeout(timer);
      resolve(answers);
    });
    send();
  });
}

function udpFlow(): Flow {
  const socket = createSocket('udp4');
  let heard: (message: Buffer) => void = () => {};
  socket.on('message', (message) => heard(message));
  return {
    ask: (packets, least) =>
      collect(
        least,
        (found) => (heard = found),
        () => {
          for (const message of [...packets, good]) socket.send(message, server.port('dns://:53'), address);
        },
      ),
    close: () => socket.close(),
  };
}

function streamFlow(open: () => Socket): Flow {
  const socket = open();
  let received = Buffer.alloc(0);
  let heard: (message: Buffer) => void = () => {};
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      heard(received.subarray(2, end));
      received = received.subarray(end);
    }
  });
  return {
    ask: (packets, least) =>
      collect(
        least,
        (found) => (heard = found),
        () => {
          for (const message of [...packets, good]) socket.write(framed(message));
        },
      ),
    close: () => socket.destroy(),
  };
}

function webFlow(): Flow {
  let session: ClientHttp2Session | undefined;
  const post = (message: Buffer) =>
    new Promise<Buffer | undefined>((resolve, reject) => {
      if (!session || session.closed || session.destroyed) {
        session = connectHttp2(`https://${address}:${server.port('https://:443')}`, { rejectUnauthorized: false });
        session.on('error', () => {});
      }
      const type = { 'content-type': 'application/dns-message' };
      const stream = session.request({ ':method': 'POST', ':path': '/dns-query', ...type });
      const chunks: Buffer[] = [];
      let status = 0;
      stream.on('response', (headers) => (status = headers[':status'] ?? 0));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => resolve(status === 200 ? Buffer.concat(chunks) : undefined));
      stream.end(message);
    });
  return {
    async ask(packets) {
      const answers = await Promise.all(packets.map(post));
      expect((await post(good))?.readUInt16BE(0)).toBe(goodId);
      return answers.filter((answer): answer is Buffer => answer !== undefined);
    },
    close: () => session?.close(),
  };
}

const flows: readonly (readonly [string, () => Flow])[] = [
  ['UDP', udpFlow],
  ['TCP', () => streamFlow(() => connectTcp({ host: address, port: server.port('dns://:53') }))],
  [
    'TLS',
    () => streamFlow(() => connectTls({ host: address, port: server.port('tls://:853'), rejectUnauthorized: false })),
  ],
  ['HTTPS', webFlow],
];

async function panics(): Promise<number> {
  const { text } = await server.page(':9153', '/metrics');
  expect(server.logs.filter((line) => line.includes('Recovered'))).toEqual([]);
  return Number(/^coredns_panics_total (\d+)$/m.exec(text)?.[1] ?? 0);
}

describe.each(flows)('over %s', (_, open) => {
  it('each specimen of the corpus gets what the RFCs say, and the next question its answer', async () => {
    const flow = open();
    for (const { name, about, expected, packet: bytes } of corpus) {
      const answers = await flow.ask([bytes], expected === 'silence' ? 0 : 1);
      const codes = answers.map((answer) => {
        const decoded = decodeMessage(answer);
        if (!decoded.ok) throw new Error(`${name}: ${decoded.error}`);
        expect(decoded.value.id, name).toBe(bytes.readUInt16BE(0));
        return rcodeName(decoded.value.rcode);
      });
      const wanted = expected === 'silence' ? [] : expected === 'answer' ? [expect.any(String)] : [expected];
      expect(codes, `${name}: ${about}`).toEqual(wanted);
      if (expected === 'answer') expect(['FORMERR', 'NOTIMP', 'BADVERS'], `${name}: ${about}`).not.toContain(codes[0]);
    }
    flow.close();
    expect(await panics()).toBe(0);
  });

  it('random and damaged packets leave it whole', async () => {
    const names = [
      'web.shop.svc.cluster.local.',
      'x.rewritten.test.',
      'a.template.test.',
      'printer.test.',
      'a.b.test.',
      '7.0.96.10.in-addr.arpa.',
      '1-2-3-4.shop.pod.cluster.local.',
    ];
    const query = fc
      .tuple(
        fc.constantFrom(...names),
        fc.oneof(fc.constantFrom(...Object.values(recordType)), fc.nat(65_535)),
        fc.boolean(),
      )
      .map(([name, type, edns]) => {
        const options = edns
          ? {
              edns: {
                udpSize: 4096,
                version: 0,
                dnssecOk: true,
                options: [{ code: 8, data: Buffer.from([0, 1, 24, 0, 10, 1, 2]) }],
              },
            }
          : {};
        return Buffer.from(encodeQuery(name, type, options));
      });
    const damaged = fc
      .tuple(
        query,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
        fc.option(fc.nat(), { freq: 3, nil: undefined }),
      )
      .map(([bytes, changes, cut]) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of changes) copy[at % copy.length] = value;
        return cut === undefined ? copy : copy.subarray(0, cut % (copy.length + 1));
      });
    const anything = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    const batch = fc.array(fc.oneof({ weight: 4, arbitrary: damaged }, { weight: 1, arbitrary: anything }), {
      maxLength: 25,
    });
    const flow = open();
    await fc.assert(
      fc.asyncProperty(batch, async (packets) => {
        await flow.ask(
          packets.map((bytes) => without(bytes, goodId)),
          0,
        );
      }),
      { numRuns: 25 },
    );
    flow.close();
    expect(await panics()).toBe(0);
  }, 60_000);
});

/** No packet may pass for the good question. */
function without(bytes: Buffer, id: number): Buffer {
  if (bytes.length < 2 || bytes.readUInt16BE(0) !== id) return bytes;
  return Buffer.concat([Buffer.from([0, 0]), bytes.subarray(2)]);
}

describe('an upstream that answers anything', () => {
  it('costs its question at most, never the server', async () => {
    const answer = (query: Buffer, changes: readonly (readonly [number, number])[], cut: number | undefined) => {
      const bytes = packet.encode({
        type: 'response',
        id: query.readUInt16BE(0),
        questions: packet.decode(query).questions,
        answers: [
          { type: 'CNAME', name: 'a.test', ttl: 5, data: 'b.test' },
          { type: 'A', name: 'b.test', ttl: 5, data: '192.0.2.1' },
          { type: 'TXT', name: 'b.test', ttl: 5, data: ['x'] },
        ],
        authorities: [{ type: 'SOA', name: 'test', ttl: 5, data: { mname: 'a', rname: 'b', serial: 1, minimum: 3 } }],
        additionals: [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: 1232,
            flags: 0,
            options: [],
            extendedRcode: 0,
            ednsVersion: 0,
            flag_do: false,
          },
        ],
      } as never);
      for (const [at, value] of changes) bytes[2 + (at % (bytes.length - 2))] = value;
      return cut === undefined ? bytes : bytes.subarray(0, 2 + (cut % (bytes.length - 1)));
    };
    let serial = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.option(fc.nat(), { freq: 3, nil: undefined }),
        fc.constantFrom('A', 'AAAA', 'TXT', 'HTTPS'),
        async (changes, cut, type) => {
          reply = (query) => answer(query, changes, cut);
          const found = await server.ask(`n${serial++}.upstream.test.`, type, { timeoutMs: 7000 });
          expect(found.questions[0]?.name).toMatch(/^n\d+\.upstream\.test\.$/);
        },
      ),
      { numRuns: 60 },
    );
    expect(await server.answers('web.shop.svc.cluster.local')).toContain('10.96.0.7');
    expect(await panics()).toBe(0);
  }, 60_000);
});
