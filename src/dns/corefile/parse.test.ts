import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkDirective } from '../plugins/order.ts';
import { parseKey } from './keys.ts';
import { type ParseOptions, parseCorefile } from './parse.ts';
import { formatCorefileError } from './types.ts';

const parse = (text: string, options: Partial<ParseOptions> = {}) =>
  parseCorefile(text, {
    file: 'Corefile',
    environment: { PORT: '5353', ZONE: 'example.org', LOOP: '{$LOOP}' },
    ...options,
  });

/** Blocks as short text: `keys | directive args {lines}`. */
function shown(text: string, options: Partial<ParseOptions> = {}): string[] | string {
  const parsed = parse(text, options);
  if (!parsed.ok) return formatCorefileError(parsed.error);
  const line = ({ name, args, block }: { name: string; args: readonly string[]; block?: readonly unknown[] }): string =>
    [name, ...args, ...(block ? [`{${block.map((inner) => line(inner as never)).join('; ')}}`] : [])].join(' ');
  return parsed.value.blocks.map(
    ({ keys, directives }) => `${keys.map((key) => key.text).join(' ')} | ${directives.map(line).join(' | ')}`,
  );
}

describe('parseCorefile', () => {
  it.each<[string, string, string[] | string]>([
    ['a block', '.:53 {\n  errors\n  cache 30\n}\n', ['.:53 | errors | cache 30']],
    ['no braces', 'example.org\nlog\nwhoami', ['example.org | log | whoami']],
    ['nothing', '# only a comment\n', []],
    ['only a key', 'example.org', ['example.org | ']],
    ['several keys', 'a.org, b.org,\nc.org d.org:54 {\n log\n}', ['a.org b.org c.org d.org:54 | log']],
    ['several blocks', 'a {\n log\n}\nb {\n}\n', ['a | log', 'b | ']],
    ['nested blocks', '. {\n health {\n lameduck 5s\n }\n ready\n}', ['. | health {lameduck 5s} | ready']],
    ['a brace on the next line', '. {\n health\n {\n lameduck 5s\n }\n}', ['. | health {lameduck 5s}']],
    ['a block in one line', '. {\n log . { class all }\n}', ['. | log . {class all}']],
    ['quotes', '. {\n log "a b" "c \\"d\\" \\e" ""\n}', ['. | log a b c "d" \\e ']],
    ['quotes over lines', '. {\n log "a\nb" c\n errors\n}', ['. | log a\nb c | errors']],
    ['braces in quotes', '. {\n log "{"\n}', ['. | log {']],
    ['comments', '. { # one\n log # two { \n #errors\n}', ['. | log']],
    ['a comment within a word, which ends at the space', '. {\n log foo#bar baz\n}', ['. | log foo baz']],
    ['Windows line ends', '. {\r\n log a\r\n errors\r\n}\r\n', ['. | log a | errors']],
    [
      'variables',
      '{$ZONE}:{%PORT%} {\n log {$ZONE}x {$NONE}y {$} {$LOOP}\n}',
      ['example.org:5353 | log example.orgx y {$} {$LOOP}'],
    ],
    ['a snippet, twice', '(x) {\n log\n errors\n}\n. {\n import x\n import x\n}', ['. | log | errors | log | errors']],
    [
      'a snippet within a block',
      '(x) {\n lameduck 5s\n}\n. {\n health {\n import x\n }\n}',
      ['. | health {lameduck 5s}'],
    ],
    ['snippets within snippets', '(a) {\n log\n}\n(b) {\n import a\n}\n. {\n import b\n}', ['. | log']],
  ])('reads %s', (_, text, expected) => expect(shown(text)).toEqual(expected));

  it.each<[string, string, string]>([
    ['an open block', '. {\n log\n', "Corefile:1: Unexpected end of file, expected '}'"],
    ['an open inner block', '. {\n log {\n', "Corefile:2: Unexpected end of file, expected '}'"],
    ['a brace too many', '. {\n}\n}\n', "Corefile:3: Unexpected '}' because no matching opening brace"],
    ['a comma at the end', 'a,', 'Corefile:1: Unexpected end of file, expected another address'],
    ['a comma before the brace', 'a, {\n}', "Corefile:1: Expected another address but had '{' - check for extra comma"],
    [
      'an unknown directive',
      '.\nforwrad . 1.1.1.1',
      "Corefile:2: Unknown directive 'forwrad'; did you mean 'forward'?",
    ],
    ['a directive far from all', '.\nabracadabra', "Corefile:2: Unknown directive 'abracadabra'"],
    ['a plugin that is not served', '. {\n etcd\n}', "Corefile:2: the plugin 'etcd' is not supported by Fairway"],
    ['a missing file', '. {\n import nowhere.conf\n}', 'Corefile:2: File to import not found: nowhere.conf'],
    [
      'import of nothing',
      '. {\n import\n}',
      "Corefile:2: Wrong argument count or unexpected line ending after 'import'",
    ],
    ['import of two', '. {\n import a b\n}', 'Corefile:2: Import takes only one argument (glob pattern or file)'],
    ['two wildcards', '. {\n import */*.x\n}', 'has others'],
    ['a snippet that imports itself', '(a) {\n import a\n}\n. {\n}', 'Corefile:1: snippet a imports itself'],
    ['snippets that import each other', '(a) {\n import b\n}\n(b) {\n import a\n}\n. {\n import a\n}', 'does'],
    ['a snippet declared twice', '(a) {\n}\n(a) {\n}', 'Corefile:3: redeclaration of previously declared snippet a'],
  ])('refuses %s', (_, text, expected) => {
    const found = shown(text, { checkDirective });
    expect(found).toBeTypeOf('string');
    expect(found).toContain(expected);
  });

  it('imports files, also by pattern, at the top and within blocks, with the place of each error', () => {
    const folder = mkdtempSync(join(tmpdir(), 'corefile-'));
    mkdirSync(join(folder, 'custom'));
    const file = join(folder, 'Corefile');
    writeFileSync(join(folder, 'custom', 'b.override'), 'errors\n');
    writeFileSync(join(folder, 'custom', 'a.override'), 'log\n');
    writeFileSync(join(folder, 'custom', 'x.server'), 'x.org {\n import b.override\n}\n');
    const text = '. {\n import custom/*.override\n cache\n}\nimport custom/*.server\nimport none/*.server\n';
    expect(shown(text, { file })).toEqual(['. | log | errors | cache', 'x.org | errors']);
    const parsed = parse(text, { file });
    expect(parsed.ok && parsed.value.warnings.map(({ message }) => message)).toEqual([
      'No files matching import glob pattern: none/*.server',
    ]);
    expect(parsed.ok && [...parsed.value.sources.keys()].length).toBe(4);
    writeFileSync(join(folder, 'custom', 'x.server'), '\nx.org {\n nonsense\n}\n');
    expect(shown(text, { file, checkDirective })).toBe(
      `${join(folder, 'custom', 'x.server')}:3: Unknown directive 'nonsense'`,
    );
    writeFileSync(join(folder, 'self'), 'import self\n');
    expect(shown('import self\n', { file, maxFileImports: 50 })).toContain('more than 50 file imports');
  });

  it.each(readdirSync(join(import.meta.dirname, 'fixtures')))('takes the default Corefile of %s', (name) => {
    const text = readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
    const parsed = parse(text, { checkDirective });
    expect(parsed.ok || formatCorefileError(parsed.error)).toBe(true);
  });

  it('never throws, whatever the text', () => {
    const words = fc.constantFrom(
      ...['{', '}', '\n', ' ', '"', '#', '\\', ',', '(a)', 'import', 'a', '.', '{$X}', '{%', 'log', '\r'],
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 40 }).map((list) => list.join(' ')),
      fc.array(words).map((list) => list.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parse(text, { maxSnippetImports: 20, maxFileImports: 20 });
        expect(parsed.ok || parsed.error.position.line > 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseKey', () => {
  it.each<[string, string]>([
    ['.', 'dns . -'],
    ['Example.ORG', 'dns example.org. -'],
    ['example.org:5300', 'dns example.org. 5300'],
    [':53', 'dns . 53'],
    ['tls://example.org', 'tls example.org. -'],
    ['https://.:8443', 'https . 8443'],
    ['10.0.0.0/24', 'dns 0.0.10.in-addr.arpa. -'],
    ['10.1.0.0/16:54', 'dns 1.10.in-addr.arpa. 54'],
    ['10.0.0.0/23', 'dns 0.0.10.in-addr.arpa. 1.0.10.in-addr.arpa. -'],
    ['10.0.0.128/25', `dns ${Array.from({ length: 128 }, (_, i) => `${i + 128}.0.0.10.in-addr.arpa.`).join(' ')} -`],
    ['fd00::/8', 'dns d.f.ip6.arpa. -'],
    ['fd00::/7', 'dns c.f.ip6.arpa. d.f.ip6.arpa. -'],
    ['2001:db8::/32', 'dns 8.b.d.0.1.0.0.2.ip6.arpa. -'],
    ['0.0.0.0/0', 'dns in-addr.arpa. -'],
    ['quic://.', 'quic:// is not supported'],
    ['ftp://.', 'unknown protocol ftp://'],
    ['a..b', 'zone is not a valid domain name: a..b'],
    ['a:', 'expecting data after last colon: "a:"'],
    ['a:99999', 'not a port: 99999'],
  ])('reads %s', (text, expected) => {
    const key = parseKey(text);
    expect(key.ok ? `${key.value.transport} ${key.value.zones.join(' ')} ${key.value.port ?? '-'}` : key.error).toBe(
      expected,
    );
  });
});
