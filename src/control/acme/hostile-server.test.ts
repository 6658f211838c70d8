/** What a server may say, and what becomes of it: bounds, refusals and nonsense. */
import { createServer } from 'node:https';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemTiming } from '../../kube/client/timing.ts';
import { hasOpenssl, selfSigned } from '../../proxy/testing/certificates.ts';
import { createAcmeClient, retryAfterOf } from './client.ts';
import { newKey } from './csr.ts';
import { AcmeError } from './problem.ts';
import { readAuthorization, readChallenge, readDirectory, readOrder, readRenewalInfo } from './resources.ts';
import { type AcmeRequest, type AcmeResponse, type AcmeTransport, createTransport } from './transport.ts';

const at = (path: string) => `https://acme.example/${path}`;
const directory = { newNonce: at('nonce'), newAccount: at('account'), newOrder: at('order') };

type Answer = Partial<AcmeResponse> & { readonly json?: unknown };

/** A client of a server that answers so. */
function clientOf(answer: (request: AcmeRequest, count: number) => Answer, more = {}) {
  let posts = 0;
  let nonces = 0;
  const transport: AcmeTransport = {
    async send(request) {
      const headers = { 'replay-nonce': `nonce${nonces++}` };
      const reply = (given: Answer): AcmeResponse => ({
        status: given.status ?? 200,
        headers: { ...headers, ...given.headers },
        body: given.body ?? JSON.stringify(given.json ?? {}),
      });
      if (request.method !== 'POST') return reply({ json: directory });
      return reply(answer(request, posts++));
    },
    close: () => {},
  };
  const timing = { ...systemTiming, sleep: async () => {} };
  const client = createAcmeClient({ server: at('dir'), key: newKey(), transport, timing, ...more });
  client.use(at('me'));
  return { client, posts: () => posts };
}

const problem = (type: string, status: number, more: Answer = {}): Answer => ({
  status,
  json: { type: `urn:ietf:params:acme:error:${type}`, detail: 'because\u0007' },
  ...more,
});

describe('a client', () => {
  it('sends again what had a bad nonce, and gives up some time', async () => {
    const order = { status: 'pending', authorizations: [], finalize: at('f') };
    const good = clientOf((_request, count) =>
      count < 5 ? problem('badNonce', 400) : { json: order, headers: { location: at('o') } },
    );
    expect((await good.client.newOrder(['a.example'])).url).toBe(at('o'));
    const never = clientOf(() => problem('badNonce', 400), { maxNonceRetries: 3 });
    await expect(never.client.order(at('o'))).rejects.toThrow('badNonce: because');
    expect(never.posts()).toBe(4);
  });

  it('never uses a nonce twice', async () => {
    const seen: string[] = [];
    const { client } = clientOf((request) => {
      const head = JSON.parse(request.body!) as { protected: string };
      seen.push((JSON.parse(Buffer.from(head.protected, 'base64url').toString()) as { nonce: string }).nonce);
      return { json: { status: 'valid', authorizations: [], finalize: at('f') } };
    });
    await Promise.all(Array.from({ length: 20 }, () => client.order(at('o'))));
    expect(new Set(seen).size).toBe(20);
  });

  it('says what the server has said, and how long it wants to be left alone', async () => {
    const { client } = clientOf(() => problem('rateLimited', 429, { headers: { 'retry-after': '7200' } }));
    const error = await client.newOrder(['a.example']).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AcmeError);
    expect((error as AcmeError).problem).toMatchObject({ type: 'rateLimited', status: 429, retryAfterMs: 7_200_000 });
    expect((error as Error).message).toBe('rateLimited: because ');
  });

  it('names the hosts that a server refuses', async () => {
    const identifier = { type: 'dns', value: 'b.example' };
    const subproblems = [{ type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids', identifier }];
    const json = { type: 'urn:ietf:params:acme:error:compound', detail: 'several', subproblems };
    const { client } = clientOf(() => ({ status: 403, json }));
    await expect(client.newOrder(['b.example'])).rejects.toThrow('compound: several (b.example: CAA forbids)');
  });

  it.each<[string, Answer]>([
    ['no location', { json: { status: 'pending', authorizations: [], finalize: at('f') } }],
    [
      'a location over http',
      { headers: { location: 'http://x/' }, json: { status: 'pending', authorizations: [], finalize: at('f') } },
    ],
    ['no JSON', { headers: { location: at('o') }, body: '<html>' }],
  ])('takes no order with %s', async (_what, answer) => {
    await expect(clientOf(() => answer).client.newOrder(['a.example'])).rejects.toThrow(/^the server /);
  });

  it('takes no certificate that is none', async () => {
    await expect(clientOf(() => ({ body: 'hello' })).client.certificate(at('c'))).rejects.toThrow(
      'no certificate in PEM',
    );
  });

  it('reads again when the server says', async () => {
    const pauses: number[] = [];
    const sleep = async (ms: number) => void pauses.push(ms);
    const json = { status: 'processing', authorizations: [], finalize: at('f') };
    const { client, posts } = clientOf(
      (_request, count) => ({
        json: count < 3 ? json : { ...json, status: 'valid' },
        headers: count === 1 ? { 'retry-after': '7' } : {},
      }),
      { timing: { ...systemTiming, sleep } },
    );
    await client.poll(
      () => client.order(at('o')),
      ({ status }) => status === 'valid',
    );
    expect(posts()).toBe(4);
    expect(pauses).toEqual([200, 7000, 800]);
  });

  it('waits for a decision only so long', async () => {
    const { client } = clientOf(() => ({ json: {} }), { pollMs: -1 });
    await expect(
      client.poll(
        async () => ({}),
        () => false,
      ),
    ).rejects.toThrow('has decided nothing');
  });

  it('makes no account without the binding that the server wants', async () => {
    const transport: AcmeTransport = {
      send: async () => ({
        status: 200,
        headers: {},
        body: JSON.stringify({ ...directory, meta: { externalAccountRequired: true } }),
      }),
      close: () => {},
    };
    const client = createAcmeClient({ server: at('dir'), key: newKey(), transport, timing: systemTiming });
    await expect(client.register({ termsOfServiceAgreed: true })).rejects.toThrow('externalAccountBinding');
  });
});

describe('what a server sends', () => {
  const challenge = { type: 'http-01', url: at('c'), status: 'pending', token: 'abc' };

  it.each(['', 'a/b', '../x', 'a.b', 'a b', 'a'.repeat(257), 1])('has no token %j', (token) => {
    expect(() => readChallenge({ ...challenge, token })).toThrow('not base64url');
  });

  it('leads nowhere but over https', () => {
    expect(() => readDirectory({ ...directory, newOrder: 'http://acme.example/' })).toThrow('newOrder');
    expect(() => readChallenge({ ...challenge, url: 'file:///etc/passwd' })).toThrow('no https address');
  });

  it('has challenges that nobody knows', () => {
    const identifier = { type: 'dns', value: 'A.example' };
    const challenges = [challenge, { type: 'strange-01', url: at('s'), status: 'pending' }];
    const read = readAuthorization({ status: 'pending', identifier, challenges });
    expect(read).toMatchObject({ name: 'a.example', wildcard: false, challenges: [{ token: 'abc' }] });
  });

  it('has a window that ends after its beginning', () => {
    const suggestedWindow = { start: '2026-01-02T00:00:00Z', end: '2026-01-01T00:00:00Z' };
    expect(() => readRenewalInfo({ suggestedWindow })).toThrow('does not end');
  });

  it('is refused with an AcmeError, whatever it is', () => {
    const readers = [readDirectory, readOrder, readAuthorization, readChallenge, readRenewalInfo];
    fc.assert(
      fc.property(fc.constantFrom(...readers), fc.jsonValue(), (read, value) => {
        try {
          read(value);
        } catch (error) {
          expect(error).toBeInstanceOf(AcmeError);
        }
      }),
    );
  });

  it.each([
    ['120', 120_000],
    ['Thu, 01 Jan 1970 00:02:00 GMT', 60_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('wants to be asked again after %s', (text, ms) => {
    expect(retryAfterOf({ headers: { ...(text !== undefined && { 'retry-after': text }) } }, 60_000)).toBe(ms);
  });
});

describe.skipIf(!hasOpenssl())('a transport', () => {
  const { chain: cert, key } = selfSigned('x', 'localhost');

  async function open(
    answer: (path: string) => string | undefined,
    options: { timeoutMs?: number; trusted?: boolean } = {},
  ) {
    const server = createServer({ cert, key }, (request, response) => {
      const text = answer(request.url!);
      if (text !== undefined) response.end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { timeoutMs = 2000, trusted = true } = options;
    const transport = createTransport({ userAgent: 'test', maxBytes: 1000, timeoutMs, ...(trusted && { ca: cert }) });
    onTestFinished(() => {
      transport.close();
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as { port: number };
    return (path: string) => transport.send({ method: 'GET', url: `https://localhost:${port}${path}` });
  }

  it('trusts nobody but the authorities that it is given', async () => {
    const send = await open(() => 'hello', { trusted: false });
    await expect(send('/')).rejects.toThrow(/self-signed|self signed|certificate/);
  });

  it('reads no more than it is allowed to, and waits no longer', async () => {
    const send = await open((path) => (path === '/silent' ? undefined : 'x'.repeat(5000)), { timeoutMs: 300 });
    await expect(send('/large')).rejects.toThrow('more than 1000 bytes');
    await expect(send('/silent')).rejects.toThrow('no answer within 300 ms');
  });
});
