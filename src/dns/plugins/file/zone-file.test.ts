/** What a zone file may say, and how it is told when it says something else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { err, ok } from '../../../base/result.ts';
import { recordText } from '../../wire/records.ts';
import { recordsOf } from './file.ts';
import { readZone, readZoneGently, type ZoneFileLimits } from './zone-file.ts';

const head = '$TTL 60\n@ SOA ns host 1 2h 3 4w 5\n';

/** Reads the text of `/z/db`; other files are those of `files`. */
function read(text: string, files: Record<string, string> = {}, limits: ZoneFileLimits = {}) {
  const all: Record<string, string> = { '/z/db': text, ...files };
  return readZone('/z/db', 'example.org.', limits, (path) =>
    all[path] === undefined ? err(`cannot read ${path}`) : ok(all[path]!),
  );
}

/** Records as text, without the SOA record; or the error. */
function records(text: string, files?: Record<string, string>): string[] | string {
  const found = read(head + text, files);
  return found.ok ? [...recordsOf(found.value.zone)].map(recordText) : found.error;
}

describe('a zone file', () => {
  it('has names that are relative, absolute, the origin, or that of the line before', () => {
    expect(
      records(
        '@ A 1.1.1.1\n  AAAA ::1\nwww A 1.1.1.2\n\n ; nothing\n\tTXT x\nabs.example.org. A 1.1.1.3\nWWW A 1.1.1.4',
      ),
    ).toEqual([
      'example.org. 60 A 1.1.1.1',
      'example.org. 60 AAAA ::1',
      'www.example.org. 60 A 1.1.1.2',
      'www.example.org. 60 A 1.1.1.4',
      'www.example.org. 60 TXT "x"',
      'abs.example.org. 60 A 1.1.1.3',
    ]);
  });

  it('has TTL and class in either order, in units, or inherited', () => {
    const text = 'a 1h IN A 1.1.1.1\nb IN 1h30m A 1.1.1.1\nc A 1.1.1.1\n$TTL 2d\nd A 1.1.1.1\ne CLASS1 A 1.1.1.1\n';
    expect(records(text)).toEqual(
      [3600, 5400, 60, 172_800, 172_800].map((ttl, i) => `${'abcde'[i]}.example.org. ${ttl} A 1.1.1.1`),
    );
    const bare = read('@ SOA ns host 1 2 3 4 77\na A 1.1.1.1\nb 9 A 1.1.1.1\nc A 1.1.1.1\n');
    expect(bare.ok && [...recordsOf(bare.value.zone)].map(({ ttl }) => ttl)).toEqual([77, 9, 9]);
    expect(bare.ok && bare.value.zone.soa.ttl).toBe(77);
  });

  it('goes on over lines in parentheses, with strings, comments and escapes', () => {
    const text =
      'a TXT ( "one; two" ; a comment (\n   "thr\\"ee" four )\nb\\.c A 1.1.1.1\n\\100 A 1.1.1.2\nd TXT a\\;b "" "\\200" (\n)\n';
    expect(records(text)).toEqual([
      'a.example.org. 60 TXT "one; two" "thr\\"ee" "four"',
      'b\\.c.example.org. 60 A 1.1.1.1',
      'd.example.org. 60 A 1.1.1.2',
      'd.example.org. 60 TXT "a;b" "" "\\200"',
    ]);
  });

  it('changes the origin, and includes other files without being changed by them', () => {
    const files = { '/z/sub/one': '$ORIGIN in\n$TTL 9\n@ A 1.1.1.1\n$INCLUDE two\n', '/z/sub/two': 'x A 1.1.1.2\n' };
    const text =
      '$ORIGIN a\nb A 1.1.1.3\n$INCLUDE sub/one\n  TXT b\nc A 1.1.1.4\n$INCLUDE sub/two other.example.org.\n';
    expect(records(text, files)).toEqual([
      'b.a.example.org. 60 A 1.1.1.3',
      'b.a.example.org. 60 TXT "b"',
      'in.a.example.org. 9 A 1.1.1.1',
      'x.in.a.example.org. 9 A 1.1.1.2',
      'c.a.example.org. 60 A 1.1.1.4',
      'x.other.example.org. 60 A 1.1.1.2',
    ]);
  });

  it('generates records that differ by a number', () => {
    const text = '$GENERATE 8-12/2 h$\x7b0,3} 30 A 10.0.0.$\x7b-8}\n$GENERATE 10-11 x\\$$\x7b0,2,x}$$ TXT "n $"\n';
    expect(records(text)).toEqual([
      'h008.example.org. 30 A 10.0.0.0',
      'h010.example.org. 30 A 10.0.0.2',
      'h012.example.org. 30 A 10.0.0.4',
      'x$0a$.example.org. 60 TXT "n 10"',
      'x$0b$.example.org. 60 TXT "n 11"',
    ]);
  });

  it('has records of any type as bytes, which are looked into when the type is known', () => {
    expect(records('a TYPE65280 \\# 2 ab cd\na TYPE1 \\# 4 01010101\nb CNAME \\# 3 0161 00\n')).toEqual([
      'a.example.org. 60 TYPE65280 \\# 2 abcd',
      'a.example.org. 60 A 1.1.1.1',
      'b.example.org. 60 CNAME a.',
    ]);
  });

  it('has each record once, and none of other zones', () => {
    const found = read(`${head}a A 1.1.1.1\na A 1.1.1.1\na.example.com. A 1.1.1.2\nb.example.com. A 1.1.1.2\n`);
    expect(found.ok && [...recordsOf(found.value.zone)].map(recordText)).toEqual(['a.example.org. 60 A 1.1.1.1']);
    expect(found.ok && found.value.warnings).toEqual([
      '/z/db:5: a.example.com. is outside of example.org.: 2 records are ignored',
    ]);
  });

  it('may be the copy that a transfer wrote, with its SOA record twice', () => {
    expect(records('a A 1.1.1.1\n@ SOA ns host 1 2h 3 4w 5')).toEqual(['a.example.org. 60 A 1.1.1.1']);
  });

  it('is warned about when aliases hide records, or the origin is not that of its SOA record', () => {
    const hidden = read(`${head}a CNAME b\na A 1.1.1.1\n`);
    expect(hidden.ok && hidden.value.warnings[0]).toContain('a.example.org. has a CNAME and other records');
    const root = readZone('/z/db', '.', {}, () => ok('$ORIGIN example.org.\n@ 5 SOA ns host 1 2 3 4 5\n'));
    expect(root.ok && root.value.warnings[0]).toContain('name the zone behind the file');
  });

  it.each([
    ['a A 1.1.1.300', '/z/db:3: not an IPv4 address: 1.1.1.300'],
    ['a A', '/z/db:3: A takes 1 fields, not 0'],
    ['\n\na MX x mail', '/z/db:5: not a number up to 65535: x'],
    ['a B 1', "/z/db:3: not a record type: 'B'"],
    ['a', "/z/db:3: not a record type: ''"],
    [`${'x'.repeat(64)} A 1.1.1.1`, `/z/db:3: not a domain name: ${'x'.repeat(64)}`],
    ['a TXT "x\ny', '/z/db:3: a string without its closing quote'],
    ['a TXT (\n\n', '/z/db:3: this parenthesis is not closed'],
    ['a TXT )', '/z/db:3: a parenthesis closes that was not opened'],
    ['a TXT \\', '/z/db:3: nothing behind a backslash'],
    ['a CH TXT x', '/z/db:3: only class IN is served'],
    ['a NSEC3PARAM \\# 5 0100000000', '/z/db:3: NSEC3 is not supported; sign the zone with NSEC'],
    ['a LOC x', "/z/db:3: not a record type: 'LOC'"],
    ['a TYPE1 \\# 3 010203', '/z/db:3: the data is not that of such a record: bad address length'],
    ['a TYPE9 \\# 3 0102', '/z/db:3: the length does not fit the data'],
    ['a TYPE9 x', '/z/db:3: the type TYPE9 has no text form here; write \\# LENGTH HEX'],
    ['$TTL x', '/z/db:3: $TTL needs a number of seconds'],
    ['$ORIGIN', '/z/db:3: $ORIGIN needs a name'],
    ['$WHAT', '/z/db:3: unknown directive $WHAT'],
    ['$INCLUDE', '/z/db:3: $INCLUDE needs a file'],
    ['$INCLUDE gone', '/z/db:3: cannot read /z/gone'],
    ['$INCLUDE bad', '/z/bad:2: not an IPv4 address: x'],
    ['$INCLUDE self', '/z/self:1: $INCLUDE goes deeper than 7'],
    ['$GENERATE 2-1 a A 1.1.1.1', '/z/db:3: $GENERATE: not a range of up to 65536 numbers: 2-1'],
    ['$GENERATE 1-9999999 a A 1.1.1.1', '/z/db:3: $GENERATE: not a range of up to 65536 numbers: 1-9999999'],
    ['@ SOA ns host 2 2 3 4 5', '/z/db: more than one SOA record for example.org.'],
  ])('is refused for %j', (text, message) => {
    expect(records(text, { '/z/bad': '\nb A x', '/z/self': '$INCLUDE self' })).toBe(message);
  });

  it('needs a SOA record, an owner and a TTL', () => {
    const error = (text: string) => {
      const found = read(text);
      return found.ok ? '' : found.error;
    };
    expect(error('')).toBe('/z/db: no SOA record for origin example.org.');
    expect(error(' A 1.1.1.1')).toBe('/z/db:1: a record without an owner, and none before it');
    expect(error('a A 1.1.1.1')).toBe('/z/db:1: a record without a TTL, and no $TTL before it');
  });

  it('has bounds', () => {
    const error = (text: string, limits: ZoneFileLimits) => {
      const found = read(text, {}, limits);
      return found.ok ? '' : found.error;
    };
    expect(error(`${head}a A 1.1.1.1\nb A 1.1.1.1`, { maxRecords: 2 })).toBe('/z/db:4: more than 2 records');
    expect(error(`$GENERATE 1-9 a$ 1 A 1.1.1.1`, { maxRecords: 2 })).toBe('/z/db:1: more than 2 records');
    expect(error(`a TXT (${'x '.repeat(600_000)}`, {})).toBe('/z/db:1: this parenthesis is not closed');
    expect(error(`${head}a TXT ${'"xxxxxxxxxxxxxxxxxxxxxxxxx" '.repeat(3000)}`, {})).toContain(
      'larger than 64000 bytes',
    );
    const large = readZone(join(import.meta.dirname, 'fixtures', 'db.example.org'), 'example.org.', { maxSize: 100 });
    expect(!large.ok && large.error).toMatch(/is too large: \d+ bytes, 100 are allowed/);
    const folder = readZone(import.meta.dirname, 'example.org.');
    expect(!folder.ok && folder.error).toContain('is not a file');
  });

  it('is read the same in steps between other work', async () => {
    const file = join(import.meta.dirname, 'fixtures', 'db.example.org');
    const [whole, gently] = [readZone(file, 'example.org.'), await readZoneGently(file, 'example.org.')];
    if (!whole.ok || !gently.ok) throw new Error('not read');
    expect([...recordsOf(gently.value.zone)]).toEqual([...recordsOf(whole.value.zone)]);
    expect(gently.value.files.map((name) => name.split('/').at(-1))).toEqual(['db.example.org', 'included.zone']);
  });

  it('may be any text without an exception, and without hanging', () => {
    const fixture = readFileSync(join(import.meta.dirname, 'fixtures', 'db.example.org'), 'utf8');
    const words = fc.constantFrom(
      ...[
        '@',
        'a',
        '*',
        'IN',
        '1h',
        '60',
        'A',
        'TXT',
        'SOA',
        'CNAME',
        'RRSIG',
        'NSEC',
        'HTTPS',
        'NAPTR',
        'DNSKEY',
        '\\#',
      ],
      ...[
        '(',
        ')',
        '"',
        ';',
        '\\',
        '\n',
        ' ',
        '\t',
        '$ORIGIN',
        '$TTL',
        '$GENERATE',
        '$INCLUDE',
        '1-3',
        '1.1.1.1',
        'alpn="h2"',
      ],
      ...[
        'ns',
        'host',
        '1',
        'key1=x',
        '2026',
        '20260101000000',
        '==',
        'AwEA',
        '.',
        '\\1',
        '\\300',
        '$\x7b1,2,x}',
        '::1',
      ],
    );
    const cut = fc
      .tuple(fc.nat(fixture.length), fc.nat(20), fc.string())
      .map(([at, length, by]) => `${fixture.slice(0, at)}${by}${fixture.slice(at + length)}`);
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.array(words, { maxLength: 30 }).map((all) => `${head}${all.join(' ')}`),
      fc.array(fc.oneof(words, fc.string()), { maxLength: 30 }).map((all) => all.join('')),
      cut,
    );
    fc.assert(
      fc.property(text, (content) => {
        const found = read(content, { '/z/included.zone': '' });
        if (found.ok) expect([...recordsOf(found.value.zone)].length).toBeLessThan(content.length * 4 + 10);
        else expect(found.error).toMatch(/^\/z\//);
      }),
      { numRuns: 300 },
    );
  }, 30_000);

  it('costs no more than its length, whatever is in it', () => {
    const long = 100_000;
    for (const part of ['\\', '\\\\', '(', '"', '1', '1s', '.', 'a.', ';', '$', '${', ' ', '\\#']) {
      const started = performance.now();
      read(`${head}a TXT ${part.repeat(long)}`);
      read(`${head}${part.repeat(long)}`);
      expect({ part, slow: performance.now() - started > 3000 }).toEqual({ part, slow: false });
    }
  }, 60_000);
});
