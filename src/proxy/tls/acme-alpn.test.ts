/** TLS-ALPN-01 at the data plane: the challenge's certificate for those who ask for nothing else, and nothing new for others. */
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Certificate, Plan } from '../../routing/plan/plan.ts';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { host, listener, planOf, route } from '../testing/plans.ts';

const missing = hasOpenssl() ? undefined : 'there is no openssl';
if (missing) console.log(`tls-alpn-01: skipped, ${missing}`);

const [address, port] = ['127.84.2.2', 18_422] as const;

interface Seen {
  readonly subject: string;
  readonly protocol: string | false | null;
  /** The connection was closed by the server within a moment. */
  readonly closed: boolean;
}

function handshake(servername: string, ALPNProtocols?: string[]): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      ...{ host: address, port, servername, rejectUnauthorized: false },
      ...(ALPNProtocols && { ALPNProtocols }),
    });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      const seen = { subject: String(socket.getPeerCertificate().subject.CN), protocol: socket.alpnProtocol };
      const timer = setTimeout(() => done(false), 150);
      const done = (closed: boolean) => {
        clearTimeout(timer);
        resolve({ ...seen, closed });
        socket.destroy();
      };
      socket.on('end', () => done(true));
      socket.resume();
    });
  });
}

describe.skipIf(missing)('a name with an open challenge', () => {
  const own = selfSigned('shop/own', 'own', ['a.example', 'b.example']);
  const proof: Certificate = selfSigned('acme-tls/1/a.example', 'proof', ['a.example']);
  const respond = route({ action: { type: 'respond', status: 200, body: 'hello', reason: 'test' } });
  const serverNames = ['a.example', 'b.example'];
  const tls = { certificates: serverNames.map((serverName) => ({ serverName, certificate: own.id })) };
  const closed: Plan = planOf([listener(address, port, [host('*', [respond])], { protocol: 'HTTPS', tls })], [], [own]);
  const opened: Plan = {
    ...closed,
    certificates: { ...closed.certificates, [proof.id]: proof },
    challenges: { tlsAlpn: { 'a.example': proof.id } },
  };

  async function front(plan: Plan) {
    const made = createFront();
    onTestFinished(() => made.close());
    await made.plan(plan);
    return made;
  }

  it('shows its certificate to who offers acme-tls/1 alone', async () => {
    await front(opened);
    expect(await handshake('a.example', ['acme-tls/1'])).toEqual({
      subject: 'proof',
      protocol: 'acme-tls/1',
      closed: true,
    });
  });

  it('is what it was to everybody else', async () => {
    await front(opened);
    expect(await handshake('a.example', ['h2', 'http/1.1'])).toMatchObject({ subject: 'own', protocol: 'h2' });
    expect(await handshake('a.example')).toMatchObject({ subject: 'own', closed: false });
    expect(await handshake('a.example', ['acme-tls/1', 'http/1.1'])).toMatchObject({
      subject: 'own',
      protocol: 'http/1.1',
    });
  });

  it('does not speak for other names', async () => {
    await front(opened);
    await expect(handshake('b.example', ['acme-tls/1'])).rejects.toThrow();
  });

  it('proves nothing when the challenge is over', async () => {
    const made = await front(opened);
    await made.plan(closed);
    await expect(handshake('a.example', ['acme-tls/1'])).rejects.toThrow();
  });

  it('can be asked for where each name has its own client certificates', async () => {
    const [first, second] = tls.certificates;
    const clientValidation = { ca: own.chain, mode: 'allow-insecure' } as const;
    const mixed = { certificates: [{ ...first!, clientValidation }, second!] };
    const listeners = [listener(address, port, [host('*', [respond])], { protocol: 'HTTPS', tls: mixed })];
    await front({ ...opened, listeners });
    expect(await handshake('a.example', ['acme-tls/1'])).toMatchObject({ subject: 'proof' });
    expect(await handshake('a.example', ['h2'])).toMatchObject({ subject: 'own', protocol: 'h2' });
    expect(await handshake('b.example', ['h2'])).toMatchObject({ subject: 'own', protocol: 'h2' });
  });
});
