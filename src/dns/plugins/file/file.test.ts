/** The file plugin as clients and operators see it: answers, other plugins behind it, and files that change. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';
import { rcodeName } from '../../wire/numbers.ts';
import { recordText } from '../../wire/records.ts';

const address = '127.82.1.21';
const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

async function serve(text: string): Promise<TestServer> {
  const server = await serveCorefile(text, { address });
  open.push(server);
  return server;
}

const zone = (serial: number, records: string) =>
  `$TTL 60\n@ SOA ns host ${serial} 3600 600 86400 30\n@ NS ns\nns A 192.0.2.53\n${records}\n`;

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'file-')), 'db');
  writeFileSync(file, text);
  return file;
}

const edns = (dnssecOk: boolean) => ({ edns: { udpSize: 1232, version: 0, dnssecOk, options: [] } });

/** Asks until an answer comes that is wanted; the last one either way. */
async function eventually(server: TestServer, name: string, wanted: string): Promise<string> {
  const end = performance.now() + 5000;
  for (;;) {
    const answer = await server.answers(name);
    if (answer === wanted || performance.now() > end) return answer;
    await new Promise((resume) => setTimeout(resume, 20));
  }
}

async function logged(server: TestServer, part: string): Promise<string | undefined> {
  const end = performance.now() + 5000;
  let line: string | undefined;
  while (!line && performance.now() < end) {
    await new Promise((resume) => setTimeout(resume, 20));
    line = server.logs.find((text) => text.includes(part));
  }
  return line;
}

describe('a zone from a file', () => {
  it('is answered with authority, name servers and their addresses, in the case of the question', async () => {
    const server = await serve(`example.org {\n file ${fileWith(zone(1, 'www A 192.0.2.1\n@ MX 5 ns'))}\n}\n`);
    const www = await server.ask('WwW.eXample.org');
    expect(www).toMatchObject({ rcode: 0, authoritative: true, questions: [{ name: 'WwW.eXample.org.' }] });
    expect(www.answers.map(recordText)).toEqual(['WwW.eXample.org. 60 A 192.0.2.1']);
    expect(www.authority.map(recordText)).toEqual(['eXample.org. 60 NS ns.eXample.org.']);
    const mail = await server.ask('example.org', 'MX');
    expect(mail.additional.map(recordText)).toEqual(['ns.example.org. 60 A 192.0.2.53']);
    expect((await server.ask('www.example.org')).answers.map(recordText)).toEqual(['www.example.org. 60 A 192.0.2.1']);
  });

  it('denies for no longer than the minimum of its SOA record', async () => {
    const server = await serve(`example.org {\n file ${fileWith(zone(1, 'www A 192.0.2.1'))}\n}\n`);
    for (const [name, type, code] of [
      ['nope.example.org', 'A', 'NXDOMAIN'],
      ['www.example.org', 'AAAA', 'NOERROR'],
    ] as const) {
      const { rcode, answers, authority } = await server.ask(name, type);
      expect([rcodeName(rcode), answers]).toEqual([code, []]);
      expect(authority.map(recordText)).toEqual([
        'example.org. 30 SOA ns.example.org. host.example.org. 1 3600 600 86400 30',
      ]);
    }
  });

  it('gives one set for ANY over UDP, all of them over TCP', async () => {
    const server = await serve(
      `example.org {\n file ${fileWith(zone(1, 'www A 192.0.2.1\n TXT x\n A 192.0.2.2'))}\n}\n`,
    );
    const count = async (tcp: boolean) => (await server.ask('www.example.org', 'ANY', { tcp })).answers.length;
    expect([await count(false), await count(true), await count(false)]).toEqual([2, 3, 2]);
  });

  it('has DS records of a zone in the zone above it', async () => {
    const parent = fileWith(zone(1, 'sub NS ns.sub\nsub DS 1 13 2 00\nns.sub A 192.0.2.9'));
    const text = `. {\n file ${parent} example.org\n file ${fileWith(zone(2, 'www A 192.0.2.3'))} sub.example.org\n}\n`;
    const server = await serve(text);
    expect((await server.ask('sub.example.org', 'DS')).answers).toHaveLength(1);
    expect(await server.answers('www.sub.example.org')).toBe('NOERROR www.sub.example.org. 60 A 192.0.2.3');
    expect((await server.ask('example.org', 'DS')).authority.map(recordText)[0]).toContain('example.org. 30 SOA');
  });

  it('leaves signatures out for who did not ask for them, also when somebody did before', async () => {
    const signature = 'RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA';
    const server = await serve(`example.org {\n file ${fileWith(zone(1, `www A 192.0.2.1\nwww ${signature}`))}\n}\n`);
    const count = async (dnssec: boolean) => (await server.ask('www.example.org', 'A', edns(dnssec))).answers.length;
    expect([await count(true), await count(false), await count(true)]).toEqual([2, 1, 2]);
  });
});

describe('the wildcard that a name is answered from', () => {
  it('is a value for logs', async () => {
    const file = fileWith(zone(1, '* A 192.0.2.1\nwww A 192.0.2.2'));
    const server = await serve(`example.org {\n metadata\n log . "<{/zone/wildcard}>"\n file ${file}\n}\n`);
    for (const name of ['a.example.org', 'www.example.org', 'a.b.example.org']) await server.ask(name);
    expect(server.logs).toEqual(['[INFO] <*.example.org.>', '[INFO] <->', '[INFO] <*.example.org.>']);
  });
});

describe('aliases out of a zone from a file', () => {
  const records = 'out CNAME a.other\nplain CNAME www.elsewhere.test.\n* CNAME b.elsewhere.test.';
  const hosts = 'hosts /nowhere elsewhere.test {\n 192.0.2.77 www.elsewhere.test\n}';
  const gone =
    'template IN ANY b.elsewhere.test {\n rcode NXDOMAIN\n authority "elsewhere.test. 5 IN SOA a. b. 1 2 3 4 5"\n}';

  it('are followed by the other plugins', async () => {
    const server = await serve(`. {\n file ${fileWith(zone(1, records))} example.org\n ${gone}\n ${hosts}\n}\n`);
    expect(await server.answers('plain.example.org')).toBe(
      'NOERROR plain.example.org. 60 CNAME www.elsewhere.test. www.elsewhere.test. 3600 A 192.0.2.77',
    );
    const missing = await server.ask('any.example.org');
    expect([
      rcodeName(missing.rcode),
      ...missing.answers.map(recordText),
      ...missing.authority.map(recordText),
    ]).toEqual([
      ...['NXDOMAIN', 'any.example.org. 60 CNAME b.elsewhere.test.', 'elsewhere.test. 5 SOA a. b. 1 2 3 4 5'],
    ]);
  });

  it('are all that is known without other plugins, and SERVFAIL when those fail', async () => {
    const file = fileWith(zone(1, records));
    const alone = await serve(`. {\n file ${file} example.org\n}\n`);
    expect(await alone.answers('plain.example.org')).toBe('NOERROR plain.example.org. 60 CNAME www.elsewhere.test.');
    const failing = await serve(`. {\n file ${file} example.org\n forward . 127.82.1.22:9 {\n max_fails 0\n }\n}\n`);
    expect(await failing.answers('plain.example.org')).toBe('SERVFAIL plain.example.org. 60 CNAME www.elsewhere.test.');
  });
});

describe('fallthrough of a zone from a file', () => {
  const text = (option: string) =>
    `. {\n file ${fileWith(zone(1, 'www A 192.0.2.1\na.ent A 192.0.2.2'))} example.org {\n ${option}\n }\n erratic {\n drop 0\n }\n}\n`;

  it('passes on names without records, not names without the type', async () => {
    const server = await serve(text('fallthrough'));
    for (const name of ['nope', 'ent']) expect(await server.answers(`${name}.example.org`)).toContain('192.0.2.53');
    expect(await server.answers('www.example.org', 'AAAA')).toBe('NOERROR');
    expect(await server.answers('www.example.org')).toContain('192.0.2.1');
  });

  it('is for the zones that are named, and off by default', async () => {
    const named = await serve(text('fallthrough sub.example.org'));
    expect(await named.answers('nope.example.org')).toBe('NXDOMAIN');
    expect(await named.answers('nope.sub.example.org')).toContain('192.0.2.53');
    expect(await (await serve(text('reload 1m'))).answers('nope.example.org')).toBe('NXDOMAIN');
  });
});

describe('a zone file that changes', () => {
  const corefile = (file: string, option = '') => `example.org {\n file ${file} {\n reload 30ms\n ${option}\n }\n}\n`;
  const www = (last: number) => `NOERROR www.example.org. 60 A 192.0.2.${last}`;

  it('is taken with a new serial, and said not to be without one', async () => {
    const file = fileWith(zone(1, 'www A 192.0.2.1'));
    const server = await serve(corefile(file));
    expect(await server.answers('www.example.org')).toBe(www(1));
    writeFileSync(file, zone(1, 'www A 192.0.2.22'));
    expect(await logged(server, 'did not')).toBe(
      `[WARNING] plugin/file: ${file} changed and its serial 1 did not: the zone stays as it was`,
    );
    expect(await server.answers('www.example.org')).toBe(www(1));
    writeFileSync(file, zone(2, 'www A 192.0.2.22'));
    expect(await eventually(server, 'www.example.org', www(22))).toBe(www(22));
    expect(server.logs.at(-1)).toBe(
      `[INFO] plugin/file: Successfully reloaded zone "example.org." in "${file}" with 2 SOA serial`,
    );
  });

  it('is taken by its time when that is wanted', async () => {
    const file = fileWith(zone(1, 'www A 192.0.2.1'));
    const server = await serve(corefile(file, 'reload_by_mtime'));
    writeFileSync(file, zone(1, 'www A 192.0.2.2'));
    utimesSync(file, 1, 1);
    expect(await eventually(server, 'www.example.org', www(2))).toBe(www(2));
  });

  it('stays as it was while the new one is bad or gone, for reasons that are told once', async () => {
    const file = fileWith(zone(1, 'www A 192.0.2.1'));
    const server = await serve(corefile(file));
    writeFileSync(file, zone(2, 'www A 192.0.2.300'));
    const reason = `[ERROR] plugin/file: Parsing zone "example.org.": ${file}:5: not an IPv4 address: 192.0.2.300`;
    expect(await logged(server, 'Parsing')).toBe(reason);
    await new Promise((resume) => setTimeout(resume, 150));
    expect(server.logs.filter((line) => line === reason)).toHaveLength(1);
    renameSync(file, `${file}.away`);
    expect(await logged(server, 'cannot read')).toContain('no such file');
    expect(await server.answers('www.example.org')).toBe(www(1));
    writeFileSync(file, zone(3, 'www A 192.0.2.3'));
    expect(await eventually(server, 'www.example.org', www(3))).toBe(www(3));
  });

  it('is also one that a change of an included file makes', async () => {
    const file = fileWith('$TTL 60\n$INCLUDE soa\nwww A 192.0.2.1\n');
    const soa = join(file, '..', 'soa');
    writeFileSync(soa, '@ SOA ns host 1 2 3 4 5\n');
    const server = await serve(corefile(file));
    writeFileSync(soa, '@ SOA ns host 2 2 3 4 5\nnew A 192.0.2.8\n');
    const wanted = 'NOERROR new.example.org. 60 A 192.0.2.8';
    expect(await eventually(server, 'new.example.org', wanted)).toBe(wanted);
  });

  it('is waited for when it is not there at the start', async () => {
    const file = fileWith('');
    rmSync(file);
    const server = await serve(corefile(file));
    expect(server.logs[0]).toMatch(/^\[WARNING\] plugin\/file: Failed to open ".*": .*: trying again every 0\.03s$/);
    expect(await server.answers('www.example.org')).toBe('SERVFAIL');
    writeFileSync(file, zone(1, 'www A 192.0.2.1'));
    expect(await eventually(server, 'www.example.org', www(1))).toBe(www(1));
  });
});

describe('the file plugin', () => {
  it('refuses bad files with the place in the Corefile and in the file', async () => {
    const file = fileWith(zone(1, 'www A x'));
    await expect(serve(`example.org {\n file ${file}\n}\n`)).rejects.toThrow(
      `Corefile:2: file: ${file}:5: not an IPv4 address: x`,
    );
  });

  it.each([
    ['file', 'Corefile:2: wrong argument count for file: 0, expected at least 1'],
    ['file /nowhere {\n reload 0\n }', "Corefile:2: file: ENOENT: no such file or directory, open '/nowhere'"],
    ['file /nowhere {\n reload soon\n }', "Corefile:3: reload: not a duration: 'soon'"],
    [
      'file /nowhere {\n reload_by_mtime yes\n }',
      'Corefile:3: wrong argument count for reload_by_mtime: 1, expected 0',
    ],
    ['file /nowhere {\n relaod 5s\n }', "Corefile:3: unknown property 'relaod' of file; did you mean 'reload'?"],
  ])('refuses %j', async (lines, message) => {
    await expect(serve(`. {\n ${lines}\n}\n`)).rejects.toThrow(message);
  });

  it('reads files relative to the root, one for several zones', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'root-'));
    mkdirSync(join(folder, 'zones'));
    writeFileSync(join(folder, 'zones', 'db'), zone(1, 'www A 192.0.2.1'));
    const server = await serve(`. {\n root ${folder}\n file zones/db a.test 10.0.0.0/24\n}\n`);
    expect(await server.answers('www.a.test')).toBe('NOERROR www.a.test. 60 A 192.0.2.1');
    expect(await server.answers('0.0.10.in-addr.arpa', 'SOA')).toContain('NOERROR 0.0.10.in-addr.arpa. 60 SOA');
    expect(await server.answers('elsewhere.test')).toBe('REFUSED');
  });
});
