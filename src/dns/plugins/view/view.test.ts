/** Server blocks chosen by expressions, through real sockets. */
import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';

const address = '127.82.6.1';
const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

async function serve(text: string): Promise<TestServer> {
  const server = await serveCorefile(text, { address });
  open.push(server);
  return server;
}

const block = (key: string, view: string, answer: string, more = '') =>
  `${key} {\n${view}\n${more}\n template IN ANY {\n answer "{{ .Name }} 1 IN A ${answer}"\n }\n}\n`;

describe('view', () => {
  it('gives a query to the first block whose expressions are all true', async () => {
    const server = await serve(
      block('.', "view tcp {\n expr proto() == 'tcp'\n expr type() in ['A', 'AAAA']\n }", '192.0.2.1') +
        block('.', "view name {\n expr name() matches '^abc\\\\..*\\\\.example\\\\.com\\\\.$'\n }", '192.0.2.2') +
        block('.', "view net {\n expr incidr(client_ip(), '192.0.2.0/24')\n }", '192.0.2.3') +
        block('.', '', '192.0.2.4'),
    );
    expect(await server.answers('a.test', 'A', { tcp: true })).toContain('192.0.2.1');
    expect(await server.answers('a.test', 'TXT', { tcp: true })).toContain('192.0.2.4');
    expect(await server.answers('ABC.x.y.Example.com')).toContain('192.0.2.2');
    expect(await server.answers('a.test')).toContain('192.0.2.4');
  });

  it('goes on to a shorter zone, and refuses at the end', async () => {
    const server = await serve(
      block('example.org', "view mx {\n expr type() == 'MX'\n }", '192.0.2.1') +
        block('org', "view a {\n expr type() == 'A'\n }", '192.0.2.2'),
    );
    expect(await server.answers('www.example.org', 'MX')).toContain('192.0.2.1');
    expect(await server.answers('www.example.org')).toContain('192.0.2.2');
    expect(await server.answers('www.example.org', 'TXT')).toBe('REFUSED');
  });

  it('names the view in metrics, logs and metadata', async () => {
    const server = await serve(
      block(
        '.',
        "view mine {\n expr name() endsWith 'test.'\n }",
        '192.0.2.1',
        'metadata\nprometheus :9153\nlog . "{name} {/view/name}"',
      ) + block('.', '', '192.0.2.2', 'prometheus :9153'),
    );
    await server.answers('a.test');
    await server.answers('a.other');
    expect(server.logs).toContain('[INFO] a.test. mine');
    const { text } = await server.page(':9153', '/metrics');
    expect(text).toMatch(/coredns_dns_requests_total\{server="dns:\/\/:53",zone="\.",view="mine",[^}]*type="A"\} 1/);
    expect(text).toMatch(/coredns_dns_requests_total\{server="dns:\/\/:53",zone="\.",view="",[^}]*type="A"\} 1/);
    expect(text).toContain('coredns_plugin_enabled{server="dns://:53",zone=".",view="mine",name="view"} 1');
  });

  it('reads what plugins of its block publish', async () => {
    const view = "view shop {\n expr metadata('kubernetes/namespace') == 'shop'\n }";
    const server = await serve(
      block('cluster.local', view, '192.0.2.1', 'metadata\n kubernetes cluster.local {\n fallthrough\n }') +
        block('.', '', '192.0.2.2'),
    );
    expect(await server.answers('web.shop.svc.cluster.local', 'NULL')).not.toContain('192.0.2.2');
    expect(await server.answers('web.other.svc.cluster.local')).toContain('192.0.2.2');
    const without = await serve(block('.', view, '192.0.2.1') + block('.', '', '192.0.2.2'));
    expect(await without.answers('web.shop.svc.cluster.local')).toContain('192.0.2.2');
  });

  it('takes a failing expression for false, counts it, and logs it once', async () => {
    const server = await serve(
      block('.', "view bad {\n expr incidr(name(), '10.0.0.0/8')\n }", '192.0.2.1') + block('.', '', '192.0.2.2'),
    );
    expect(await server.answers('a.test')).toContain('192.0.2.2');
    expect(await server.answers('b.test')).toContain('192.0.2.2');
    expect(server.server.metrics.expose()).toContain('fairway_view_failures_total{view="bad"} 2');
    expect(server.logs.filter((line) => line.includes('plugin/view'))).toEqual([
      '[WARNING] plugin/view: the expression "incidr(name(), \'10.0.0.0/8\')" failed and counts as false: incidr: not an IP address: a.test.',
    ]);
  });

  it.each([
    ['view', 'Corefile:2: wrong argument count for view'],
    ['view a b', 'Corefile:2: wrong argument count'],
    [
      'view a {\n expr client_i() == 1\n}',
      'Corefile:3: view: cannot use the expression "client_i() == 1": unknown name client_i; did you mean client_ip?',
    ],
    ['view a {\n expr\n}', 'Corefile:3: wrong argument count for expr'],
    ['view a {\n expression 1\n}', "Corefile:3: unknown property 'expression' of view"],
    ['view a\nview b', 'Corefile:3: view may be used only once'],
  ])('%j is refused with its line', async (view, expected) => {
    await expect(serve(`. {\n${view}\nwhoami\n}`)).rejects.toThrow(expected);
  });
});
