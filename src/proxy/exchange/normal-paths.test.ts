/** Hosts whose paths are compared in their normal form, beside nginx. */
import { connect } from 'node:http2';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { normalPath } from '../../routing/match/normal-path.ts';
import type { Route } from '../../routing/plan/plan.ts';
import { askFront } from '../testing/ask.ts';
import { type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { createFront } from '../testing/front.ts';
import { hasNginx, startNginx } from '../testing/nginx.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';

const [door, behind, judge] = ['127.86.2.1', '127.86.2.2', '127.86.2.3'] as const;
const port = 8080;
const able = hasNginx();

/** Pattern and replacement of a rewrite, each on a port of its own. */
const rewrites: readonly (readonly [string, string])[] = [
  ['^/(.*)$', '/x/$1'],
  ['^/(a)?(.*)', '/$2$1'],
  ['^/(.*)$', '/x?p=$1'],
  ['^/(.*)$', '/x%20y/$1?'],
  ['^/(.*)/(.*)$', '/$2?p=$1&q=1?'],
];

const pieces = fc.constantFrom('/', '.', '..', 'a', 'b', '%2F', '%2e', '%20', '%C3%A9', '+', '%3F', '%23', '%25', '%26', '&', ';', '=', '"', '<', '|', '^', '`', '\\', '~', ':', '%7f', '%0A', "'", '%41'); // biome-ignore format: one line
/** Without a line feed: the last of a path is no end of it (`$`) for RE2, other than for nginx. */
const piecesOfLines = pieces.filter((piece) => piece !== '%0A');
const broken = fc.constantFrom('%00', '%', '%z1', '%2', '/../..');
const pathsOf = (piece: fc.Arbitrary<string>) =>
  fc
    .array(fc.oneof({ weight: 30, arbitrary: piece }, { weight: 1, arbitrary: broken }), { maxLength: 9 })
    .map((list) => `/${list.join('')}`);
const paths = pathsOf(pieces);
const lines = pathsOf(piecesOfLines);

describe('normal paths', () => {
  const front = createFront();
  let app: RecordingBackend;
  let nginx: { close(): Promise<void> } | undefined;

  beforeAll(async () => {
    app = await recordingBackend(behind, port, (request, socket) => {
      const body = request.line.split(' ')[1]!;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
    });
    await front.endpoints({ app: [endpoint(behind, port)] });
    if (!able) return;
    const proxy = `proxy_pass http://${behind}:${port}; proxy_set_header Host $http_host;`;
    const servers = rewrites.map(
      ([pattern, replacement], i) =>
        `server { listen ${judge}:${port + 1 + i}; location / { rewrite "${pattern}" "${replacement}" break; ${proxy} } }`,
    );
    const plain = `server { listen ${judge}:${port}; location / { ${proxy} } location /uri { return 200 $uri; } }`;
    const uri = `server { listen ${judge}:${port + 9}; location / { return 200 $uri; } }`;
    nginx = await startNginx([...servers, plain, uri].join('\n'), judge, port);
  });
  afterAll(async () => {
    await front.close();
    await app.close();
    await nginx?.close();
  });

  const use = (...routes: Partial<Route>[]) =>
    front.plan(
      planOf([
        listener(door, port, [
          {
            ...host(
              '*',
              routes.map((one, i) => route({ id: `r${i}`, ...one })),
            ),
            paths: 'normal',
          },
        ]),
      ]),
    );

  it('get to the backend as they came, and match as what they mean', async () => {
    await use(
      { match: { path: { type: 'prefix', value: '/admin' } }, action: { type: 'respond', status: 418, reason: 'no' } },
      {},
    );
    expect((await askFront(door, port, { path: '/x/%2e%2E//a%64min?q=%41' })).status).toBe(418);
    const path = '/x//y/../%41%2f?q=%41';
    expect(await askFront(door, port, { path })).toMatchObject({ status: 200, body: path });
    expect((await askFront(door, port, { path: '/..%2f' })).status).toBe(400);
    expect(front.records.at(-1)).toMatchObject({ status: 400, flag: 'bad_request' });
    expect((await askFront(door, port, { path: '/a%00b' })).status).toBe(400);
    expect((await askFront(door, port, { path: '/a#b' })).status).toBe(400);
  });

  it('are told of as what they mean, with groups of the pattern', async () => {
    await use({
      match: { path: { type: 'regex', value: '/u/([^/]*)(?:/.*)?' } },
      filters: [{ type: 'request-values', set: [['X-User', [{ of: 'capture', group: 1 }]]] }],
    });
    await askFront(door, port, { path: '/x/../u/a%20b%0Ac/d' });
    expect(app.requests.at(-1)!.lines).toContain('X-User: a b%0Ac');
  });

  it('come over HTTP/2 as well', async () => {
    await use({
      match: { path: { type: 'prefix', value: '/admin' } },
      filters: [
        { type: 'request-values', set: [['Host', ['inner.example']]] },
        { type: 'rewrite', path: { type: 'prefix', value: '/root' } },
      ],
    });
    const session = connect(`http://${door}:${port}`);
    const stream = session.request({ ':path': '/x/..%2f%61dmin/%20?q' });
    let body = '';
    for await (const chunk of stream.setEncoding('utf8')) body += chunk;
    session.close();
    expect(body).toBe('/root/%20?q');
    expect(app.requests.at(-1)!.lines).toContain('Host: inner.example');
  });

  it('are rewritten twice before they are escaped', async () => {
    const rewrite = (pattern: string, replacement: string) =>
      ({ type: 'rewrite', path: { type: 'regex', pattern, replacement } }) as const;
    await use({ filters: [rewrite('^/a/(.*)', '/b/$1'), rewrite('^/b/x y$', '/c d')] });
    expect((await askFront(door, port, { path: '/a/x%20y?q' })).body).toBe('/c%20d?q');
    expect((await askFront(door, port, { path: '/a/x%2520y' })).body).toBe('/b/x%2520y');
    expect((await askFront(door, port, { path: '/z/x%2520y/..' })).body).toBe('/z/x%2520y/..');
  });

  it('redirect with groups escaped once', async () => {
    const location = [
      'https://b.example/',
      { of: 'capture', group: 1 },
      '?u=',
      { of: 'fact', fact: 'normal-path' },
    ] as const;
    await use({
      match: { path: { type: 'regex', value: '/u/(.*)' } },
      filters: [{ type: 'respond', when: [], status: 302, location, reason: 'moved' }],
    });
    const { headers } = await askFront(door, port, { path: '/u/a%20%25%3fb' });
    expect(headers['location']).toBe('https://b.example/a%20%25%3Fb?u=/u/a%20%25%3Fb');
  });

  it.skipIf(!able)('are those of nginx', async () => {
    await fc.assert(
      fc.asyncProperty(paths, async (path) => {
        const said = await askFront(judge, port + 9, { path });
        const normal = normalPath(path);
        expect(normal ?? 400).toBe(said.status === 200 ? said.body : said.status);
      }),
      { numRuns: 400 },
    );
  });

  it.skipIf(!able).each(rewrites.map((pair, i) => [...pair, port + 1 + i] as const))(
    '%s to %s makes of them what nginx makes',
    async (pattern, replacement, there) => {
      await use({ filters: [{ type: 'rewrite', path: { type: 'regex', pattern, replacement } }] });
      await fc.assert(
        fc.asyncProperty(lines, fc.constantFrom('', '?', '?z', '?z=%41+&y'), async (path, query) => {
          const mine = await askFront(door, port, { path: path + query });
          const theirs = await askFront(judge, there, { path: path + query });
          expect(mine.status).toBe(theirs.status);
          if (mine.status === 200) expect(mine.body).toBe(theirs.body);
        }),
        { numRuns: 100 },
      );
    },
  );
});
