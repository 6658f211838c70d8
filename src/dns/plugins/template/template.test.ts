/** Variables and conditions of templates, through real sockets. */
import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';

const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

async function serve(lines: string): Promise<TestServer> {
  const server = await serveCorefile(`. {\n${lines}\n}\n`, { address: '127.82.6.2' });
  open.push(server);
  return server;
}

describe('template with expressions', () => {
  it('answers with variables, for names whose conditions hold', async () => {
    const server = await serve(`template IN A example.com {
      match ^(?P<ip>[0-9]{1,3}(-[0-9]{1,3}){3})[.]example[.]com[.]$
      var ip replace(group('ip'), '-', '.')
      var parts split(ip, '.')
      expr "any(['10.0.0.0/8', '192.168.0.0/16'], incidr(ip, #))"
      expr len(parts) == 4 and group(0) != '' and group('none') == ''
      answer "{{ .Name }} {{ index .Var.parts 3 }} IN A {{ .Var.ip }}"
      fallthrough
    }
    template IN A {
      answer "{{ .Name }} 1 IN A 192.0.2.1"
    }`);
    expect(await server.answers('10-1-2-60.example.com')).toBe('NOERROR 10-1-2-60.example.com. 60 A 10.1.2.60');
    expect(await server.answers('11-1-2-60.example.com')).toContain(' 1 A 192.0.2.1');
  });

  it('says SERVFAIL when a condition is not true and nothing falls through', async () => {
    const server = await serve(
      'template IN A {\n expr type() == \'B\'\n answer "{{ .Name }} 1 IN A 192.0.2.1"\n}\nwhoami',
    );
    expect(await server.answers('a.test')).toBe('SERVFAIL');
  });

  it('says SERVFAIL when an expression fails, also with fallthrough, and why', async () => {
    const server = await serve(
      "errors\ntemplate IN A {\n var net incidr(name(), '10.0.0.0/8')\n fallthrough\n}\nwhoami",
    );
    expect(await server.answers('a.test')).toBe('SERVFAIL');
    expect(server.logs.join()).toContain('failed: incidr: not an IP address: a.test.');
  });

  it('hands maps and numbers to templates', async () => {
    const server = await serve(
      'metadata\ntemplate IN TXT {\n var m "{a: [1, 2.5], b: nil}"\n answer "{{ .Name }} 1 IN TXT {{ index .Var.m.a 1 }}-{{ len .Var.m.a }}"\n}',
    );
    expect(await server.answers('a.test', 'TXT')).toBe('NOERROR a.test. 1 TXT "2.5-2"');
  });

  it.each([
    ['var', 'wrong argument count for var'],
    ['var 1a 1', 'invalid variable name "1a"'],
    ['var a-b 1', 'invalid variable name "a-b"'],
    ...['name', 'group', 'len', 'true', 'let', 'now'].map((name) => [
      `var ${name} 1`,
      `variable name "${name}" is reserved`,
    ]),
    ['var a 1\nvar a 2', 'Corefile:4: variable name "a" is reserved'],
    ['var a 1 +', 'unexpected end of expression'],
    ['var a b + 1\nvar b 1', 'unknown name b'],
    ['expr', 'wrong argument count for expr'],
    [
      "var a 1\nexpr a + 'x'",
      'Corefile:4: could not compile expression "a + \'x\'": invalid operation: + (mismatched types int and string)',
    ],
  ])('%j is refused', async (lines, expected) => {
    await expect(serve(`template IN A {\n${lines}\n}`)).rejects.toThrow(expected);
  });
});
