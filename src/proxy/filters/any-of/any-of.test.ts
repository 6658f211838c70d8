/** Any one of several gates, each of which may have to ask elsewhere first, with nginx as the judge. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AnyOfFilter, BasicAuthFilter, Filter } from '../../../routing/plan/plan.ts';
import { askFront } from '../../testing/ask.ts';
import { hasNginx, startNginx } from '../../testing/nginx.ts';
import { backend, endpoint, host, listener, planOf, route } from '../../testing/plans.ts';
import { PORT, type TwoBackends, twoBackends } from '../../testing/two-backends.ts';
import { filter as externalAuth } from '../external-auth/testing.ts';

const judge = '127.87.7.8';
const service = '127.87.7.9';
const judged = hasNginx();
let two: TwoBackends;
let asked = 0;

/** Answers what the request says, and who it takes the client for. */
const authority = createServer((request, response) => {
  asked++;
  const say = Number(request.headers['x-say'] ?? 200);
  response.writeHead(say, { 'X-User': 'by the service', 'Content-Length': 0 }).end();
});

beforeAll(async () => {
  two = await twoBackends('127.87.7', 1);
  await new Promise<void>((resolve) => authority.listen(PORT, service, resolve));
  await two.front.endpoints({ auth: [endpoint(service, PORT)] });
});

beforeEach(() => {
  two.app.requests.length = 0;
  two.front.findings.length = 0;
  asked = 0;
});

afterAll(async () => {
  await two.close();
  await new Promise((resolve) => authority.close(resolve));
});

/** How hashes of passwords are checked: at once, and on a thread that the request waits for. */
const hashes = {
  sha: `{SHA}${createHash('sha1').update('secret').digest('base64')}`,
  bcrypt: hashSync('secret', 5),
};
type Member = AnyOfFilter['filters'][number];
const from = (address: string): Member => ({ type: 'ip-access', allow: [address], deny: [], status: 403 });
const basic = (hash: string): BasicAuthFilter => ({ type: 'basic-auth', realm: 'r', users: [{ name: 'anna', hash }] });
const external = externalAuth({ backend: 'auth', failureStatus: 500 });

const serve = (filters: readonly Filter[]) =>
  two.front.plan(
    planOf(
      [listener(two.address, PORT, [host('*', [route({ filters, gates: 'as-listed' })])])],
      [backend('app'), backend('auth')],
    ),
  );
const anyOf = (...filters: readonly Member[]): AnyOfFilter => ({ type: 'any-of', filters });
const login = (password: string) => `Authorization: Basic ${Buffer.from(`anna:${password}`).toString('base64')}`;

/** What the backend was told of the client. */
function toldBackend(): readonly string[] {
  const lines = two.app.requests.splice(0).flatMap((request) => request.lines);
  return lines.filter((line) => /^(?:x-user|x_user|authorization):/i.test(line)).map((line) => line.toLowerCase());
}

interface Case {
  readonly ip: 'in' | 'out' | 'absent';
  readonly password: keyof typeof hashes | 'absent';
  readonly service: 'there' | 'absent';
}

const cases: readonly Case[] = (['in', 'out', 'absent'] as const).flatMap((ip) =>
  (['sha', 'bcrypt', 'absent'] as const).flatMap((password) =>
    (['there', 'absent'] as const).map((one) => ({ ip, password, service: one })),
  ),
);
const addressOf = ({ ip }: Case) => (ip === 'in' ? '127.0.0.0/8' : '192.0.2.1');

const membersOf = (one: Case): readonly Member[] => [
  ...(one.ip === 'absent' ? [] : [from(addressOf(one))]),
  ...(one.password === 'absent' ? [] : [basic(hashes[one.password])]),
  ...(one.service === 'absent' ? [] : [external]),
];

function locationOf(one: Case, index: number, folder: string): string {
  const lines = [
    `satisfy any; proxy_pass http://127.87.7.2:${PORT}; proxy_set_header Authorization ""; proxy_http_version 1.1;`,
    one.ip === 'absent' ? '' : `allow ${addressOf(one)}; deny all;`,
    one.password === 'absent' ? '' : `auth_basic r; auth_basic_user_file ${folder}/${one.password};`,
    one.service === 'absent'
      ? ''
      : 'auth_request /_auth; auth_request_set $user $upstream_http_x_user; proxy_set_header X-User $user;',
  ];
  return `location /${index}/ { ${lines.join(' ')} }`;
}

const requestsOf = (one: Case) =>
  (one.password === 'absent' ? [[]] : [[], [login('wrong')], [login('secret')]]).flatMap((credentials) =>
    (one.service === 'absent' ? ['200'] : ['200', '401', '403', '500']).map((say) => [...credentials, `X-Say: ${say}`]),
  );

describe('any of several gates', () => {
  it.skipIf(!judged)('lets in and refuses whom nginx does, with all that it says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairway-any-'));
    for (const [name, hash] of Object.entries(hashes)) writeFileSync(join(folder, name), `anna:${hash}\n`);
    const locations = cases.map((one, i) => locationOf(one, i, folder));
    const auth = `location = /_auth { internal; proxy_pass http://${service}:${PORT}; }`;
    const nginx = await startNginx(`server { listen ${judge}:${PORT}; ${auth} ${locations.join(' ')} }`, judge, PORT);
    try {
      for (const [i, one] of cases.entries()) {
        const members = membersOf(one);
        if (members.length === 0) continue;
        await serve([anyOf(...members)]);
        for (const said of requestsOf(one)) {
          // What a client says of itself is nothing that the backend may hear where the service is to say it.
          const lines = [...said, ...(one.service === 'absent' ? [] : ['X-User: by the client'])];
          const outcome = async (address: string) => {
            const { status, headers } = await askFront(address, PORT, { path: `/${i}/`, lines });
            // With a 500 nginx leaves a challenge that somebody has put there before.
            const challenge = status === 401 ? headers['www-authenticate']?.split(',')[0] : undefined;
            return { status, challenge, told: toldBackend() };
          };
          const theirs = await outcome(judge);
          expect([one, lines, await outcome(two.address)]).toEqual([one, lines, theirs]);
        }
      }
    } finally {
      await nginx.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('asks nobody further than need be', async () => {
    await serve([anyOf(from('127.0.0.1'), basic(hashes.bcrypt), external)]);
    expect((await two.ask()).status).toBe(200);
    await serve([anyOf(from('192.0.2.1'), basic(hashes.bcrypt), external)]);
    expect((await two.ask({ lines: [login('secret')] })).status).toBe(200);
    expect(asked).toBe(0);
    expect((await two.ask({ lines: [login('wrong')] })).status).toBe(200);
    expect(asked).toBe(1);
  });

  it('takes bodies along that come while the request waits', async () => {
    await serve([anyOf(basic(hashes.bcrypt), external)]);
    const body = 'x'.repeat(20_000);
    const lines = ['Content-Length: 20000', login('wrong')];
    expect((await two.ask({ method: 'POST', lines, body })).status).toBe(200);
    expect(two.app.requests[0]!.body).toBe(body);
  });

  it('ends at a gate that cannot be asked, whatever those after it would say', async () => {
    const gone = externalAuth({ backend: 'nobody' });
    await serve([anyOf(gone, from('127.0.0.1'))]);
    expect((await two.ask()).status).toBe(500);
    expect(two.front.findings).toEqual([expect.stringMatching(/^FW5221 /)]);
    await serve([anyOf(from('127.0.0.1'), gone)]);
    expect((await two.ask()).status).toBe(200);
    await two.front.endpoints({ auth: [] });
    await serve([anyOf(external, from('127.0.0.1'))]);
    expect((await two.ask()).status).toBe(500);
    await two.front.endpoints({ auth: [endpoint(service, PORT)] });
    expect((await two.ask()).status).toBe(200);
  });

  it('sends a client that nobody lets in to where it can sign in', async () => {
    const signIn = { url: 'https://login.example/', parameter: 'rd', statuses: [401] };
    await serve([anyOf(from('192.0.2.1'), basic(hashes.sha), { ...external, signIn })]);
    const answer = await two.ask({ lines: ['X-Say: 401'] });
    expect([answer.status, answer.headers['location']]).toEqual([
      302,
      expect.stringMatching(/^https:\/\/login\.example/),
    ]);
    expect((await two.ask({ lines: ['X-Say: 403'] })).status).toBe(401);
  });

  it('without a gate lets nobody in', async () => {
    await serve([anyOf()]);
    expect((await two.ask()).status).toBe(500);
    expect(two.front.findings).toEqual([expect.stringMatching(/^FW5221 .*none of its filters/)]);
  });

  it('believes no client in what another service than the one that lets it in would say', async () => {
    const other = externalAuth({ backend: 'auth', responseHeaders: ['x-user', 'X-Team'], failureStatus: 500 });
    const teams = async (...lines: readonly string[]) => {
      expect((await two.ask({ lines: [...lines, 'X-Team: boss', 'X_Team: boss', 'X-User: boss'] })).status).toBe(200);
      const got = two.app.requests.splice(0).flatMap((request) => request.lines);
      return got.filter((line) => /^x.(?:team|user):/i.test(line));
    };
    await serve([anyOf(external, other)]);
    expect(await teams()).toEqual(['X-User: by the service']);
    await serve([anyOf(basic(hashes.bcrypt), other)]);
    expect(await teams(login('secret'))).toEqual([]);
    await serve([anyOf(basic(hashes.sha), other)]);
    expect(await teams(login('secret'))).toEqual([]);
    expect(await teams(login('wrong'))).toEqual(['X-User: by the service']);
  });
});
