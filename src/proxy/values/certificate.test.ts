/** What backends are told of clients' certificates, beside nginx. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Certificate, RequestFact } from '../../routing/plan/plan.ts';
import { type Authority, authority, hasOpenssl } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { hasNginx, startNginx } from '../testing/nginx.ts';
import { host, listener, planOf, route } from '../testing/plans.ts';
import { converse } from '../testing/sockets.ts';

const [door, judge] = ['127.86.4.1', '127.86.4.2'] as const;
const port = 8443;
const able = hasOpenssl() && hasNginx();

const facts: readonly RequestFact[] = [
  'client-certificate-verify',
  'client-certificate-subject',
  'client-certificate-issuer',
  'client-certificate',
];

describe.skipIf(!able)('facts of certificates', () => {
  const front = createFront();
  const folder = mkdtempSync(join(tmpdir(), 'fairway-facts-'));
  let nginx: { close(): Promise<void> };
  let ca: Authority;
  let known: Certificate;
  let stranger: Certificate;

  beforeAll(async () => {
    ca = authority('partners/O=Bread, Butter/C=DE');
    known = ca.issue('anna/O=A "B", #1/OU=  z+L=Bonn/emailAddress=a@b.example', ['DNS:a.example']);
    stranger = authority('others').issue('stranger', ['DNS:b.example']);
    const web = ca.issue('web', ['DNS:web.example']);
    const values = facts.flatMap((fact) => [{ of: 'fact', fact } as const, '|']);
    const respond = { type: 'respond', when: [], status: 200, body: values, reason: 'facts' } as const;
    const validation = { ca: ca.certificate, mode: 'allow-insecure' } as const;
    const tls = { certificates: [{ serverName: '*', certificate: web.id }], clientValidation: validation };
    const hosts = [host('*', [route({ filters: [respond] })])];
    await front.plan(planOf([listener(door, port, hosts, { protocol: 'HTTPS', tls })], [], [web]));
    for (const [name, text] of Object.entries({ ca: ca.certificate, chain: web.chain, key: web.key }))
      writeFileSync(join(folder, name), text);
    nginx = await startNginx(
      `server { listen ${judge}:${port} ssl; ssl_certificate ${folder}/chain; ssl_certificate_key ${folder}/key;
        ssl_client_certificate ${folder}/ca; ssl_verify_client optional_no_ca;
        return 200 "$ssl_client_verify|$ssl_client_s_dn|$ssl_client_i_dn|$ssl_client_escaped_cert|"; }`,
      judge,
      port,
    );
  });
  afterAll(async () => {
    await front.close();
    await nginx?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function told(address: string, certificate: Certificate | undefined): Promise<string[]> {
    const own = certificate && { cert: certificate.chain, key: certificate.key };
    const client = converse(connect({ host: address, port, rejectUnauthorized: false, ...own }));
    client.send('GET / HTTP/1.1\r\nHost: web.example\r\nConnection: close\r\n\r\n');
    return (await client.closed()).split('\r\n\r\n')[1]!.split('|');
  }

  it('are those of nginx', async () => {
    const mine = await told(door, known);
    expect(mine).toEqual(await told(judge, known));
    expect(mine[0]).toBe('SUCCESS');
    expect(mine[1]).toMatch(/^emailAddress=a@b\.example,.*OU=\\ .*,O=A \\"B\\"\\, #1,CN=anna$/);
  });

  it('say that it is not valid', async () => {
    const [verify, ...rest] = await told(door, stranger);
    const [theirs, ...same] = await told(judge, stranger);
    expect(verify).toMatch(/^FAILED:/);
    expect(theirs).toMatch(/^FAILED:/);
    expect(rest).toEqual(same);
  });

  it('are empty without one', async () => {
    expect(await told(door, undefined)).toEqual(await told(judge, undefined));
  });
});
