import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasOpenssl } from '../../testing/certificates.ts';
import { type OneRoute, oneRoute } from '../../testing/one-route.ts';
import { parseHash } from './passwords.ts';

const openssl = hasOpenssl();
if (!openssl) console.warn('skipped: apr1 against openssl, which is not installed');

/** Made by `openssl passwd -apr1`. */
const apr1 = '$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0';
const sha = (password: string) => `{SHA}${createHash('sha1').update(password).digest('base64')}`;
const verify = (hash: string, password: string) => {
  const parsed = parseHash(hash);
  return typeof parsed === 'string' ? parsed : parsed.verify(Buffer.from(password));
};

describe('hashes of passwords', () => {
  it.skipIf(!openssl).each(['secret', 'a', '', 'grüße', 'x'.repeat(16), 'y'.repeat(17), 'z'.repeat(200)])(
    'apr1 of %j is what openssl makes of it',
    (password) => {
      for (const salt of ['a', 'saltsalt', './09Az']) {
        const args = ['passwd', '-apr1', '-salt', salt, '-stdin'];
        const hash = execFileSync('openssl', args, { input: `${password}\n`, encoding: 'utf8' }).trim();
        expect(verify(hash, password)).toBe(true);
        expect(verify(hash, `${password}x`)).toBe(false);
      }
    },
  );

  it('{SHA} is that of htpasswd -s', () => {
    expect(verify('{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', 'secret')).toBe(true);
    expect(verify('{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', 'Secret')).toBe(false);
  });

  it.each([
    ['$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC', /bcrypt.*apr1/],
    ['{SHA}short', /not a whole/],
    ['$apr1$saltsalt$short', /not a whole/],
    ['plain', /neither/],
    ['', /neither/],
  ])('%s cannot be checked', (hash, why) => expect(verify(hash, 'x')).toMatch(why));
});

describe('basic auth', () => {
  let place: OneRoute;
  const users = [
    { name: 'sha', hash: sha('pass:word') },
    { name: 'apr', hash: apr1 },
    { name: 'blow', hash: '$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC' },
  ];
  const given = (text: string, scheme = 'Basic') => ({
    lines: [`Authorization: ${scheme} ${Buffer.from(text).toString('base64')}`],
  });

  beforeAll(async () => {
    place = await oneRoute('127.83.2.40', '127.83.2.41');
    await place.use([{ type: 'basic-auth', realm: 'a "quoted" place', users }]);
  });
  afterAll(() => place.close());

  it('asks who does not say', async () => {
    const answer = await place.ask();
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Basic realm="a \\"quoted\\" place", charset="UTF-8"');
    expect(place.front.records.at(-1)).toMatchObject({ flag: 'unauthorized', attempts: 0 });
  });

  it.each([
    ['sha:pass:word', 'Basic', 200],
    ['sha:pass:word', 'bAsIc', 200],
    ['apr:secret', 'Basic', 200],
    ['apr:secret', 'Bearer', 401],
    ['apr:Secret', 'Basic', 401],
    ['apr:', 'Basic', 401],
    ['apr', 'Basic', 401],
    [':secret', 'Basic', 401],
    ['sha:secret', 'Basic', 401],
    ['nobody:secret', 'Basic', 401],
    ['__proto__:x', 'Basic', 401],
    ['blow:x', 'Basic', 401],
    [`sha:${'x'.repeat(257)}`, 'Basic', 401],
    [`sha:${'x'.repeat(5_000)}`, 'Basic', 401],
  ])('%.20s, %s: %i', async (text, scheme, status) => {
    expect((await place.ask(given(text, scheme))).status).toBe(status);
  });

  it('takes two Authorization lines for none, and what is no Base64', async () => {
    const [line] = given('apr:secret').lines;
    expect((await place.ask({ lines: [line!, line!] })).status).toBe(401);
    expect((await place.ask({ lines: ['Authorization: Basic !!!'] })).status).toBe(401);
  });

  it('keeps the password from the backend', async () => {
    await place.ask({ lines: [...given('sha:pass:word').lines, 'X-Other: 1'] });
    expect(place.app.requests.at(-1)!.lines).toContain('X-Other: 1');
    expect(place.app.requests.at(-1)!.lines.join()).not.toMatch(/authorization/i);
  });

  it('says whose hash it cannot check', () => {
    expect(place.front.findings).toEqual([expect.stringMatching(/^FW5221 .*the password of "blow" is a bcrypt hash/)]);
  });

  it('checks only so many hashes a second; passwords known to be right still pass', async () => {
    const strict = await oneRoute('127.83.2.42', '127.83.2.43', { filters: { maxPasswordChecksPerSecond: 1 } });
    await strict.use([{ type: 'basic-auth', realm: 'r', users }]);
    const started = performance.now();
    expect((await strict.ask(given('apr:secret'))).status).toBe(200);
    const guesses = await Promise.all(Array.from({ length: 60 }, (_, i) => strict.ask(given(`apr:guess${i}`))));
    const counts = (status: number) => guesses.filter((guess) => guess.status === status).length;
    expect(counts(401)).toBeLessThanOrEqual(2 + (performance.now() - started) / 1000);
    expect(counts(503)).toBe(60 - counts(401));
    expect((await strict.ask(given('apr:secret'))).status).toBe(200);
    await strict.close();
  });
});
