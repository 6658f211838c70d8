/** What forward and log tell of a query, and where `next` leads. */
import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';

const address = '127.82.6.5';
const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

async function serve(lines: string): Promise<TestServer> {
  const server = await serveCorefile(`. {\n${lines}\n}\n`, { address });
  open.push(server);
  return server;
}

const answering = 'template IN A {\n answer "{{ .Name }} 60 IN A 192.0.2.1"\n}';
const denying = 'template ANY ANY {\n rcode NXDOMAIN\n authority "test. 60 IN SOA ns.test. m.test. 1 2 3 4 5"\n}';

describe('metadata of forward and log', () => {
  it('names the upstream and the class of the answer in log lines', async () => {
    const upstream = await serve(answering);
    const to = `${address}:${upstream.port()}`;
    const server = await serve(
      `metadata\nlog . "{name} {/forward/upstream} {/log/class} {/log/type}"\nrewrite name b.test c.test\nhosts /nowhere {\n192.0.2.2 own.test\nfallthrough\n}\nforward . ${to}`,
    );
    for (const name of ['a.test', 'b.test', 'own.test']) await server.answers(name);
    expect(server.logs.filter((line) => line.startsWith('[INFO]'))).toEqual([
      `[INFO] a.test. ${to} success NOERROR`,
      `[INFO] b.test. ${to} success NOERROR`,
      '[INFO] own.test. - success NOERROR',
    ]);
  });

  it('tells denials and errors apart without metadata too', async () => {
    const server = await serve(`log . "{/log/class} {/log/type} {/forward/upstream}"\n${denying}`);
    await server.answers('a.test');
    const broken = await serve('log . "{/log/class} {/log/type}"\ntemplate ANY ANY {\n rcode SERVFAIL\n}');
    await broken.answers('a.test');
    expect(server.logs).toEqual(['[INFO] denial NXDOMAIN -']);
    expect(broken.logs).toEqual(['[INFO] error SERVERERROR']);
  });
});

describe('next of forward', () => {
  it('leads to another forward, and from the last one nowhere', async () => {
    const [no, yes] = [await serve(denying), await serve(answering)];
    const both = await serve(
      `forward . ${address}:${no.port()} {\n next NXDOMAIN\n}\nforward . ${address}:${yes.port()}`,
    );
    expect(await both.answers('a.test')).toContain('192.0.2.1');
    const last = await serve(`forward . ${address}:${no.port()} {\n next NXDOMAIN\n next_on_nodata\n}\nwhoami`);
    expect(await last.answers('a.test')).toBe('NXDOMAIN');
  });

  it('forwards the zone itself although except names it', async () => {
    const upstream = await serve(answering);
    const server = await serve(`forward test ${address}:${upstream.port()} {\n except test\n}`);
    expect(await server.answers('test')).toContain('192.0.2.1');
    expect(await server.answers('a.test')).toBe('REFUSED');
  });
});

describe('reload', () => {
  it.each([['reload 30s 0s'], ['reload 10s 15s'], ['reload 2s']])('%s is accepted', async (line) => {
    expect((await serve(`${line}\nwhoami`)).port()).toBeGreaterThan(0);
  });

  it.each([
    ['reload 30s 500ms', 'the jitter must be 0 or at least 1s'],
    ['reload 1s', 'is less than 2s'],
  ])('%s is refused', async (line, expected) => {
    await expect(serve(`${line}\nwhoami`)).rejects.toThrow(expected);
  });
});
