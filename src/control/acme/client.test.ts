/** The client against Debian's pebble, with HTTP-01 answered by a server of the test. */
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemTiming } from '../../kube/client/timing.ts';
import { createAcmeClient } from './client.ts';
import { createRequest, newKey } from './csr.ts';
import { type Pebble, startPebble, whyNoPebble } from './testing/pebble.ts';
import { type AcmeTransport, createTransport } from './transport.ts';

const missing = whyNoPebble();
if (missing) console.log(`acme client against pebble: skipped, ${missing}`);

const [address, target, httpPort] = ['127.84.1.1', '127.84.1.2', 18_401] as const;
const mac = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';

describe.skipIf(missing)('a client of pebble', () => {
  let pebble: Pebble;
  const answers = new Map<string, string>();
  const server = createServer((request, response) => {
    const answer = answers.get(request.url!.split('/').at(-1)!);
    response.writeHead(answer ? 200 : 404).end(answer);
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(httpPort, target, resolve));
    const env = { PEBBLE_WFE_NONCEREJECT: '50', PEBBLE_AUTHZREUSE: '0' };
    pebble = await startPebble({ address, target, httpPort, env, accounts: { 'kid-1': mac } });
  });
  afterAll(async () => {
    server.close();
    await pebble.stop();
  });

  let refusedNonces = 0;
  const open = (key = newKey()) => {
    const { send, close } = createTransport({ ca: pebble.ca, userAgent: 'fairway-test' });
    const transport: AcmeTransport = {
      close,
      async send(request) {
        const response = await send(request);
        if (response.body.includes('badNonce')) refusedNonces++;
        return response;
      },
    };
    return createAcmeClient({ server: pebble.directory, key, transport, timing: systemTiming, maxNonceRetries: 40 });
  };

  it('gets a certificate, whichever nonces are refused', async () => {
    const client = open();
    const binding = { keyId: 'kid-1', macKey: mac };
    client.use(await client.register({ email: 'ops@example.com', termsOfServiceAgreed: true, binding }));
    const names = ['a.example.com', 'b.example.com'];
    const { url, order } = await client.newOrder(names);
    for (const each of order.authorizations) {
      const authorization = await client.authorization(each);
      const challenge = authorization.challenges.find(({ type }) => type === 'http-01')!;
      answers.set(challenge.token, client.keyAuthorization(challenge.token));
      await client.accept(challenge);
      const decided = await client.poll(
        () => client.authorization(each),
        ({ status }) => status !== 'pending',
      );
      expect(decided).toMatchObject({ status: 'valid' });
    }
    const key = newKey();
    await client.finalize(await client.order(url), await createRequest(key, names));
    const done = await client.poll(
      () => client.order(url),
      ({ status }) => status !== 'processing',
    );
    const chain = await client.certificate(done.certificate!);
    const leaf = new X509Certificate(chain);
    expect(leaf.subjectAltName).toBe('DNS:a.example.com, DNS:b.example.com');
    expect(leaf.checkPrivateKey(key)).toBe(true);
    expect(refusedNonces).toBeGreaterThan(0);
  });
});
