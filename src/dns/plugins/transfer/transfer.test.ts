/** Zone transfers as secondary servers see them: dig, kdig and Knot DNS take the zones. */
import { execFile, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer, type TestServerOptions } from '../../testing.ts';
import { encodeQuery } from '../../wire/ask.ts';
import { decodeMessage } from '../../wire/decode.ts';
import { encodeMessage } from '../../wire/encode.ts';
import type { Message } from '../../wire/message.ts';
import { rcodeName, recordType } from '../../wire/numbers.ts';
import { parseQuery } from '../../wire/query.ts';
import { addressRecord, makeRecord, recordText } from '../../wire/records.ts';
import { askAt, freePort, servesZone, startKnot, withoutKnot } from '../file/knot.fixture.ts';
import { createTestCluster, httpPort } from '../kubernetes/cluster.fixture.ts';
import { type Plugin, unwritten } from '../plugin.ts';
import { createAnnouncer } from './announcer.ts';
import { createTransfer, isCurrent } from './transfer.ts';

const address = '127.82.1.11';
const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

async function serve(text: string, options: Partial<TestServerOptions> = {}): Promise<TestServer> {
  const server = await serveCorefile(text, { address, ...options });
  open.push(server);
  return server;
}

const zone = (serial: number, records: readonly string[] = ['www A 192.0.2.1']) =>
  ['$TTL 60', `@ SOA ns hostmaster ${serial} 3600 600 86400 30`, '@ NS ns', 'ns A 192.0.2.53', ...records, ''].join(
    '\n',
  );

function zoneFile(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'zone-')), 'db');
  writeFileSync(file, text);
  return file;
}

const missing = ['dig', 'kdig'].filter((tool) => spawnSync(tool, ['-h'], { stdio: 'ignore' }).error);
if (missing.length > 0) console.warn(`not asked with ${missing.join(' and ')}: not installed`);
if (withoutKnot) console.warn(`no Knot DNS as a secondary: ${withoutKnot}`);

/** Records of a transfer, each in one line with single blanks. */
async function transfer(server: TestServer, tool: 'dig' | 'kdig', name: string, ...more: string[]): Promise<string[]> {
  const plain = tool === 'dig' ? ['+nosplit'] : [];
  const words = [`@${address}`, '-p', `${server.port()}`, name, ...plain, ...more];
  const { stdout } = await promisify(execFile)(tool, words, { maxBuffer: 64 * 1024 * 1024 });
  return stdout
    .split('\n')
    .filter((line) => line !== '' && (!line.startsWith(';') || line.includes('failed') || line.includes('XFR size')))
    .map((line) => line.replace(/\s+/g, ' ').trim());
}

const serveZone = (file: string, rule = 'to *', options?: Partial<TestServerOptions>) =>
  serve(`example.org {\n file ${file} {\n reload 50ms\n }\n transfer {\n ${rule}\n }\n}\n`, options);

describe.skipIf(missing.includes('dig'))('AXFR', () => {
  it('gives the whole zone between two SOA records', async () => {
    const server = await serveZone(zoneFile(zone(7)));
    expect((await transfer(server, 'dig', 'example.org', 'AXFR')).slice(0, -1)).toEqual([
      'example.org. 60 IN SOA ns.example.org. hostmaster.example.org. 7 3600 600 86400 30',
      'example.org. 60 IN NS ns.example.org.',
      'ns.example.org. 60 IN A 192.0.2.53',
      'www.example.org. 60 IN A 192.0.2.1',
      'example.org. 60 IN SOA ns.example.org. hostmaster.example.org. 7 3600 600 86400 30',
    ]);
    expect(server.logs).toContain(
      '[INFO] plugin/transfer: Outgoing transfer of 5 records of zone "example.org." to 127.0.0.1 for 7 SOA serial',
    );
  });

  it('comes in as many messages as it takes', async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `host-${i} A 10.0.${i >> 8}.${i & 255}`);
    const big = `big ${'TXT'} ${Array.from({ length: 200 }, () => `"${'x'.repeat(255)}"`).join(' ')}`;
    const server = await serveZone(zoneFile(zone(7, [...many, big])));
    const lines = await transfer(server, 'dig', 'example.org', 'AXFR');
    expect(lines.filter((line) => line.startsWith('host-'))).toHaveLength(20_000);
    expect(new Set(lines).size).toBe(lines.length - 1);
    const [, records, messages] = /XFR size: (\d+) records \(messages (\d+)/.exec(lines.at(-1)!)!.map(Number);
    expect(records).toBe(20_000 + 5);
    expect(messages).toBeGreaterThan(20);
    expect(messages).toBeLessThan(60);
  });

  it('is refused to those who are not named, below the zone, over UDP, and without the plugin', async () => {
    const file = zoneFile(zone(7));
    const named = await serveZone(file, 'to 127.0.0.9 127.0.0.1');
    expect(await transfer(named, 'dig', 'example.org', 'AXFR', '-b', '127.0.0.1')).toHaveLength(6);
    expect(await transfer(named, 'dig', 'example.org', 'AXFR', '-b', '127.0.0.2')).toEqual(['; Transfer failed.']);
    expect(await transfer(named, 'dig', 'www.example.org', 'AXFR', '-b', '127.0.0.1')).toEqual(['; Transfer failed.']);
    expect(rcodeName((await named.ask('example.org', 'AXFR')).rcode)).toBe('REFUSED');
    const none = await serve(`example.org {\n file ${file}\n}\n`);
    expect(rcodeName((await none.ask('example.org', 'AXFR', { tcp: true })).rcode)).toBe('REFUSED');
  });

  it('is SERVFAIL while the zone is not there', async () => {
    const server = await serveZone('/nowhere/db');
    expect(rcodeName((await server.ask('example.org', 'AXFR', { tcp: true })).rcode)).toBe('SERVFAIL');
  });

  it.skipIf(missing.includes('kdig'))('comes over TLS too', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'xot-')), 'server');
    const wanted = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=x',
    ];
    spawnSync('openssl', ['req', '-x509', ...wanted, '-keyout', `${path}.key`, '-out', `${path}.crt`]);
    const server = await serve(
      `tls://example.org {\n tls ${path}.crt ${path}.key\n file ${zoneFile(zone(7))}\n transfer {\n to *\n }\n}\n`,
    );
    expect(await transfer(server, 'kdig', 'example.org', 'AXFR', '+tls')).toHaveLength(5);
  });

  it('goes by the longest zone of several rules', async () => {
    const file = zoneFile(zone(7));
    const text = `. {\n file ${file} a.test b.test\n transfer a.test {\n to 127.0.0.77\n }\n transfer . {\n to *\n }\n}\n`;
    const server = await serve(text);
    expect(await transfer(server, 'dig', 'a.test', 'AXFR')).toEqual(['; Transfer failed.']);
    expect(await transfer(server, 'dig', 'b.test', 'AXFR')).toHaveLength(6);
  });
});

describe.skipIf(missing.includes('kdig'))('IXFR', () => {
  it('is one SOA record for who is up to date, and the whole zone for others', async () => {
    const server = await serveZone(zoneFile(zone(7)));
    expect(await transfer(server, 'kdig', 'example.org', 'IXFR=7', '+tcp')).toHaveLength(1);
    expect(await transfer(server, 'kdig', 'example.org', 'IXFR=8', '+tcp')).toHaveLength(1);
    expect(await transfer(server, 'kdig', 'example.org', 'IXFR=6', '+tcp')).toHaveLength(5);
    expect(await transfer(server, 'kdig', 'example.org', 'IXFR=4294967290', '+tcp')).toHaveLength(5);
    expect(rcodeName((await server.ask('example.org', 'IXFR', { tcp: true })).rcode)).toBe('FORMERR');
  });

  it('compares serials around the end of the numbers', () => {
    expect([isCurrent(7, 7), isCurrent(8, 7), isCurrent(6, 7)]).toEqual([true, true, false]);
    expect([isCurrent(2, 0xffffffff), isCurrent(0xffffffff, 2)]).toEqual([true, false]);
  });
});

/** A secondary that says which NOTIFY it got, and answers with `code` when it answers. */
function listen(at: string, code: () => number | undefined) {
  const socket = createSocket('udp4');
  const heard: { message: Message; from: string }[] = [];
  socket.on('message', (packet, from) => {
    const decoded = decodeMessage(packet);
    if (!decoded.ok) throw new Error(decoded.error);
    heard.push({ message: decoded.value, from: from.address });
    const rcode = code();
    if (rcode === undefined) return;
    socket.send(encodeMessage({ ...decoded.value, response: true, rcode, answers: [] }), from.port, from.address);
  });
  const stop = () => new Promise<void>((resolve) => socket.close(() => resolve()));
  open.push({ stop });
  return new Promise<{ port: number; heard: typeof heard }>((resolve) =>
    socket.bind(0, at, () => resolve({ port: socket.address().port, heard })),
  );
}

async function until(done: () => boolean, limitMs = 9000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!done() && performance.now() < end) await new Promise((resume) => setTimeout(resume, 20));
}

describe('NOTIFY', () => {
  it('comes at the start and when the serial changes, from the wanted address', async () => {
    const secondary = await listen('127.82.1.12', () => 0);
    const file = zoneFile(zone(7));
    await serveZone(file, `to * 127.82.1.12:${secondary.port}\n source 127.82.1.13`);
    await until(() => secondary.heard.length === 1);
    writeFileSync(file, zone(9, ['www A 192.0.2.2']));
    await until(() => secondary.heard.length === 2);
    expect(secondary.heard.map(({ from }) => from)).toEqual(['127.82.1.13', '127.82.1.13']);
    expect(secondary.heard[1]!.message).toMatchObject({
      ...{ opcode: 4, authoritative: true, response: false },
      questions: [{ name: 'example.org.', type: recordType.SOA, class: 1 }],
    });
    expect(secondary.heard.map(({ message }) => message.answers.map(recordText))).toEqual([
      ['example.org. 60 SOA ns.example.org. hostmaster.example.org. 7 3600 600 86400 30'],
      ['example.org. 60 SOA ns.example.org. hostmaster.example.org. 9 3600 600 86400 30'],
    ]);
  }, 15_000);

  it('comes from the process that speaks for all, at once when it becomes that one', async () => {
    const secondary = await listen('127.82.1.12', () => 0);
    let speaks = false;
    const numbers = { serial: 3, refresh: 1, retry: 1, expire: 1, minimum: 1 };
    const names = { primary: 'ns.example.org.', mailbox: 'host.example.org.' };
    const soa = makeRecord('example.org.', recordType.SOA, 60, { kind: 'soa', ...names, ...numbers });
    const notify = [{ host: '127.82.1.12', port: secondary.port }];
    const rule = { zones: ['example.org.'], everyone: false, clients: new Set<string>(), notify };
    const announcer = createAnnouncer({
      zones: () => [{ zone: 'example.org.', serial: 3, soa, rule }],
      ...{ log: () => {}, checkMs: 20, speaks: () => speaks },
    });
    announcer.start();
    open.push({ stop: async () => announcer.close() });
    await new Promise((resume) => setTimeout(resume, 100));
    expect(secondary.heard).toEqual([]);
    speaks = true;
    await until(() => secondary.heard.length > 0);
    await new Promise((resume) => setTimeout(resume, 100));
    expect(secondary.heard).toHaveLength(1);
  });

  it('is sent again until it is accepted, three times at most', async () => {
    const deaf = await listen('127.82.1.12', () => 5);
    const server = await serveZone(zoneFile(zone(7)), `to 127.82.1.12:${deaf.port}`);
    await until(() => server.logs.some((line) => line.includes('not accepted')));
    expect(deaf.heard).toHaveLength(3);
    expect(server.logs).toContain(
      `[WARNING] plugin/transfer: notify for zone "example.org." was not accepted by "127.82.1.12:${deaf.port}": REFUSED`,
    );
  });
});

describe('zone transfer of a cluster', () => {
  function shop() {
    const cluster = createTestCluster();
    cluster.namespace('shop');
    const metrics = { port: 9090, protocol: 'TCP' };
    const ports = [httpPort, metrics];
    cluster.service('shop', 'web', { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00:96::7'], ports });
    cluster.slice('shop', 'web', [{ addresses: ['10.244.0.1'] }]);
    cluster.service('shop', 'db', { clusterIP: 'None', ports: [httpPort] });
    cluster.slice('shop', 'db', [
      { addresses: ['10.244.0.2'], hostname: 'db-0' },
      { addresses: ['10.244.0.3'] },
      { addresses: ['10.244.0.4'], conditions: { ready: false } },
    ]);
    cluster.service('shop', 'ext', { type: 'ExternalName', externalName: 'www.example.net' });
    cluster.pod('shop', 'web-1', ['10.244.0.1']);
    return cluster;
  }
  const text =
    'cluster.local 10.in-addr.arpa {\n kubernetes {\n pods verified\n ttl 30\n }\n transfer {\n to *\n }\n}\n';
  const clock = { now: () => 1_700_000_000_000 };

  it.skipIf(missing.includes('dig'))('has Services by name with their SRV records, and no Pods', async () => {
    const server = await serve(text, { store: shop().store, clock });
    const soa =
      'cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1700000000 7200 1800 86400 30';
    const records = (await transfer(server, 'dig', 'cluster.local', 'AXFR')).slice(0, -1);
    const db = 'db.shop.svc.cluster.local.';
    const web = 'web.shop.svc.cluster.local.';
    expect(records).toEqual([
      soa,
      'cluster.local. 30 IN NS ns.dns.cluster.local.',
      `ns.dns.cluster.local. 30 IN A ${address}`,
      `${db} 30 IN A 10.244.0.2`,
      `${db} 30 IN A 10.244.0.3`,
      `db-0.${db} 30 IN A 10.244.0.2`,
      `10-244-0-3.${db} 30 IN A 10.244.0.3`,
      `_http._tcp.${db} 30 IN SRV 0 50 80 db-0.${db}`,
      `_http._tcp.${db} 30 IN SRV 0 50 80 10-244-0-3.${db}`,
      'ext.shop.svc.cluster.local. 30 IN CNAME www.example.net.',
      `${web} 30 IN A 10.96.0.7`,
      `${web} 30 IN AAAA fd00:96::7`,
      `${web} 30 IN SRV 0 25 80 ${web}`,
      `${web} 30 IN SRV 0 25 9090 ${web}`,
      `_http._tcp.${web} 30 IN SRV 0 50 80 ${web}`,
      soa,
    ]);
    expect(await transfer(server, 'dig', '10.in-addr.arpa', 'AXFR')).toEqual(['; Transfer failed.']);
  });

  it('is SERVFAIL until all objects are read, and REFUSED without the plugin', async () => {
    const { store } = shop();
    const openObjects = () => ({ store, synced: () => false, close: () => {} });
    const unread = text.replace('ttl 30', 'startup_timeout 10ms');
    const server = await serve(unread, { store, openObjects });
    expect(rcodeName((await server.ask('cluster.local', 'AXFR', { tcp: true })).rcode)).toBe('SERVFAIL');
    const none = await serve('cluster.local {\n kubernetes\n}\n', { store });
    expect(rcodeName((await none.ask('cluster.local', 'AXFR', { tcp: true })).rcode)).toBe('REFUSED');
  });

  it.skipIf(withoutKnot)('makes Knot DNS a secondary that answers the same', async () => {
    const server = await serve(text, { store: shop().store });
    const knot = await startKnot({
      address: '127.82.1.14',
      others: ['cluster.local'],
      sections: () => `remote:\n  - id: main\n    address: ${address}@${server.port()}`,
      zoneLines: ['master: main'],
    });
    open.push(knot);
    await servesZone(knot, 'cluster.local');
    for (const name of [
      'web.shop.svc',
      'db.shop.svc',
      'db-0.db.shop.svc',
      '_http._tcp.db.shop.svc',
      '_http._tcp.web.shop.svc',
    ]) {
      for (const type of ['A', 'AAAA', 'SRV']) {
        // Ports of a headless Service are not transferred below its own name, nor addresses below those of ports.
        if ((type === 'SRV') !== name.startsWith('_')) if (type === 'SRV' || name.startsWith('_')) continue;
        const [wanted, found] = await Promise.all([
          server.ask(`${name}.cluster.local`, type),
          askAt(knot, { name: `${name}.cluster.local`, type }),
        ]);
        const answers = (message: Message) => message.answers.map(recordText).sort();
        expect({ name, type, answers: answers(found) }).toEqual({ name, type, answers: answers(wanted) });
      }
    }
  });
});

describe.skipIf(withoutKnot)('Knot DNS as a secondary', () => {
  it('takes the zone, and takes it again when it is told that it changed', async () => {
    const file = zoneFile(zone(7));
    let port = 0;
    const own = await freePort(address);
    const knot = await startKnot({
      address: '127.82.1.15',
      others: ['example.org'],
      sections: (place) => {
        port = place.port;
        return `remote:\n  - id: main\n    address: ${address}@${own}\nacl:\n  - id: told\n    address: 127.0.0.0/8\n    action: notify`;
      },
      zoneLines: ['master: main', 'acl: told'],
    });
    open.push(knot);
    await serveZone(file, `to * 127.82.1.15:${port}`, { mapAddress: () => ({ host: address, port: own }) });
    await servesZone(knot, 'example.org');
    writeFileSync(file, zone(8, ['www A 192.0.2.99']));
    let answer = '';
    const end = performance.now() + 10_000;
    while (!answer.includes('192.0.2.99') && performance.now() < end) {
      answer = (await askAt(knot, { name: 'www.example.org', type: 'A' })).answers.map(recordText).join();
      await new Promise((resume) => setTimeout(resume, 50));
    }
    expect(answer).toBe('www.example.org. 60 A 192.0.2.99');
  }, 25_000);
});

describe('the transfer plugin', () => {
  it('gives out no more at a time than it may hold', async () => {
    const soa = makeRecord('example.org.', recordType.SOA, 5, {
      ...{ kind: 'soa', primary: 'a.', mailbox: 'b.', serial: 1 },
      ...{ refresh: 1, retry: 1, expire: 1, minimum: 1 },
    });
    const records = () => Array.from({ length: 1000 }, (_, i) => addressRecord(`a${i}.example.org.`, 5, '192.0.2.1'));
    const source: Plugin = { name: 'file', transfer: () => ({ soa, serial: 1, records }) };
    const rule = { zones: ['example.org.'], everyone: true, clients: new Set<string>(), notify: [] };
    const parts = { rules: [rule], plugins: () => [source], log: () => {} };
    const plugin = createTransfer({ ...parts, maxHeld: 50_000, holdMs: 2000 });
    const parsed = parseQuery(encodeQuery('example.org.', recordType.AXFR));
    if (!parsed.ok) throw new Error('not a query');
    const client = { address: '127.0.0.1', port: 1, protocol: 'tcp' } as const;
    const ask = async () => {
      const context = { query: parsed.query, client, resolve: async () => undefined };
      const reply = await plugin.handle!(context, () => unwritten(5));
      return reply.kind === 'unwritten' ? reply.error : reply.kind;
    };
    const full = 'transfers of more than 50000 bytes are under way';
    expect([await ask(), await ask(), await ask()]).toEqual(['messages', 'messages', full]);
    let later: string | undefined = full;
    for (let i = 0; later === full && i < 100; i++) {
      await new Promise((resume) => setTimeout(resume, 100));
      later = await ask();
    }
    expect(later).toBe('messages');
    await plugin.close?.();
  });

  it.each([
    ['transfer', "Corefile:2: transfer: 'to' is required"],
    ['transfer {\n to example.org\n }', "Corefile:3: transfer: not an IP address: 'example.org'"],
    ['transfer {\n to 1.2.3.4:0\n }', "Corefile:3: transfer: not an IP address: '1.2.3.4:0'"],
    ['transfer {\n to\n }', 'Corefile:3: wrong argument count for to: 0, expected at least 1'],
    ['transfer {\n to *\n source x\n }', "Corefile:4: transfer: invalid source address 'x'"],
    ['transfer {\n to *\n source 1.1.1.1\n source 1.1.1.2\n }', 'Corefile:5: transfer: source already specified'],
  ])('refuses %j', async (lines, message) => {
    await expect(serve(`. {\n ${lines}\n}\n`)).rejects.toThrow(message);
  });

  it('takes addresses of both families, with and without ports', async () => {
    const words = '1.2.3.4 12:34::56 1.2.3.4:5300 [12:34::56]:5300 [::1]';
    await expect(serve(`example.org {\n transfer {\n to * ${words}\n }\n whoami\n}\n`)).resolves.toBeDefined();
  });
});
