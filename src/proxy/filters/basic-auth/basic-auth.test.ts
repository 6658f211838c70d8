import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { hashSync } from 'bcryptjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { hasOpenssl } from '../../testing/certificates.ts';
import { type OneRoute, oneRoute } from '../../testing/one-route.ts';
import { createPasswordChecks } from './checks.ts';
import { parseHash } from './passwords.ts';

const openssl = hasOpenssl();
if (!openssl) console.warn('skipped: apr1 against openssl, which is not installed');

/** A password hashed by the system. */
const libcrypt = (password: string, setting: string) =>
  execFileSync('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', password, setting], { encoding: 'utf8' });
const hasLibcrypt = (() => {
  try {
    return libcrypt('x', '$2b$04$abcdefghijklmnopqrstuu').length === 60;
  } catch {
    return false;
  }
})();
if (!hasLibcrypt) console.warn('skipped: bcrypt against libcrypt, which perl does not have here');
/** Of `secret`; takes some ten milliseconds. */
const slowHash = hashSync('secret', 9);

/** Made by `openssl passwd -apr1`. */
const apr1 = '$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0';
/** Made by libcrypt. */
const bcrypt = '$2y$05$c4WoMPo3SXsafkva.HHa6u7b1XOWKqA7XZANDrnv4IVny/8ABNR66';
const sha = (password: string) => `{SHA}${createHash('sha1').update(password).digest('base64')}`;
const verify = (hash: string, password: string) => {
  const parsed = parseHash(hash);
  return typeof parsed === 'string' ? parsed : parsed.verify(Buffer.from(password));
};

describe('hashes of passwords', () => {
  it.skipIf(!openssl).each(['secret', 'a', '', 'grüße', 'x'.repeat(16), 'y'.repeat(17), 'z'.repeat(200)])(
    'apr1 and $1$ of %j are what openssl makes of it',
    (password) => {
      for (const args of [
        ['-apr1', '-salt', 'a'],
        ['-apr1', '-salt', './09Az'],
        ['-1', '-salt', 'saltsalt'],
      ]) {
        const hash = execFileSync('openssl', ['passwd', ...args, '-stdin'], {
          input: `${password}\n`,
          encoding: 'utf8',
        }).trim();
        expect(verify(hash, password)).toBe(true);
        expect(verify(hash, `${password}x`)).toBe(false);
      }
    },
  );

  it('{SHA} is that of htpasswd -s', () => {
    expect(verify('{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', 'secret')).toBe(true);
    expect(verify('{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', 'Secret')).toBe(false);
  });

  it('{SSHA} and {PLAIN} are those of nginx', () => {
    expect(verify('{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0', 'secret')).toBe(true);
    expect(verify('{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0', 'secretsalt')).toBe(false);
    expect(verify('{PLAIN}secret', 'secret')).toBe(true);
    expect(verify('{PLAIN}secret', 'secret ')).toBe(false);
    expect(parseHash('{PLAIN}secret')).not.toMatchObject({ text: expect.stringContaining('secret') });
  });

  it.each([
    ['$2y$15$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC', /cost 15.*too long/],
    ['$2y$03$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC', /less than 4/],
    ['$2x$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC', /not a whole bcrypt/],
    ['$2y$05$short', /not a whole bcrypt/],
    ['{SHA}short', /not a whole/],
    ['{SSHA}short', /not a whole/],
    ['$1$saltsalt$short', /not a whole/],
    ['$5$saltsalt$short', /not a whole hash of SHA-crypt/],
    [`$6$rounds=600000$saltsalt$${'a'.repeat(86)}`, /600000 rounds.*too long/],
    [`$6$rounds=10$saltsalt$${'a'.repeat(86)}`, /not a whole/],
    ['abNANd1rDfiNc', /none of/],
    ['$apr1$saltsalt$short', /not a whole/],
    ['plain', /none of/],
    ['', /none of/],
  ])('%s cannot be checked', (hash, why) => expect(verify(hash, 'x')).toMatch(why));
});

describe('basic auth', () => {
  let place: OneRoute;
  const users = [
    { name: 'sha', hash: sha('pass:word') },
    { name: 'apr', hash: apr1 },
    { name: 'crypt', hash: bcrypt },
    { name: 'blow', hash: '$2y$15$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC' },
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
    ['crypt:secret', 'Basic', 200],
    ['crypt:Secret', 'Basic', 401],
    ['crypt:', 'Basic', 401],
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

  it('tells the backend who it is, where another filter says so', async () => {
    const set = [['X-User', [{ of: 'fact', fact: 'user' }]]] as const;
    await place.use([
      { type: 'basic-auth', realm: 'a', users },
      { type: 'request-values', set },
    ]);
    await place.ask({ lines: [...given('sha:pass:word').lines] });
    expect(place.app.requests.at(-1)!.lines).toContain('X-User: sha');
    expect(place.app.requests.at(-1)!.lines.join()).not.toMatch(/authorization/i);
    await place.use([{ type: 'basic-auth', realm: 'a "quoted" place', users }]);
  });

  it('remembers a password for who may log in here, and not for others with the same hash', async () => {
    const door = await oneRoute('127.83.2.44', '127.83.2.45');
    await door.use([{ type: 'basic-auth', realm: 'r', users: [{ name: 'anna', hash: apr1 }] }]);
    expect((await door.ask(given('anna:secret'))).status).toBe(200);
    await door.use([{ type: 'basic-auth', realm: 'r', users: [{ name: 'bert', hash: apr1 }] }]);
    expect((await door.ask(given('anna:secret'))).status).toBe(401);
    expect((await door.ask(given('bert:secret'))).status).toBe(200);
    await door.close();
  });

  it('says whose hash it cannot check', () => {
    expect(place.front.findings).toEqual([
      expect.stringMatching(/^FW5221 .*the password of "blow" is a bcrypt hash of cost 15/),
    ]);
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

describe('bcrypt', () => {
  const checks = (maxQueue = 64, thread?: URL) => {
    const faults: string[] = [];
    return { faults, ...createPasswordChecks({ maxQueue, onFault: (why) => faults.push(why), thread }) };
  };
  type Checks = ReturnType<typeof checks>;
  const compare = (all: Checks, password: string, hash: string) =>
    new Promise<boolean | undefined | 'full'>((resolve) => {
      if (!all.compare(password, hash, resolve)) resolve('full');
    });

  it.skipIf(!hasLibcrypt).each([
    ['$2y$04$', 'secret'],
    ['$2b$05$', 'grüße'],
    ['$2a$04$', 'x'.repeat(72)],
    ['$2b$04$', ''],
  ])('%s of %j is what libcrypt makes of it', async (prefix, password) => {
    const all = checks();
    const hash = libcrypt(password, `${prefix}abcdefghijklmnopqrstuu`);
    expect(typeof parseHash(hash)).toBe('object');
    expect(await compare(all, password, hash)).toBe(true);
    expect(await compare(all, `y${password}`, hash)).toBe(false);
    all.close();
  });

  it.skipIf(!openssl).each([
    ['-5', 'secret'],
    ['-6', 'secret'],
    ['-6', 'grüße'.repeat(20)],
  ])('SHA-crypt %s of %j is what openssl makes of it', async (kind, password) => {
    const all = checks();
    const args = ['passwd', kind, '-salt', 'saltsaltsaltsalt', '-stdin'];
    const hash = execFileSync('openssl', args, { input: `${password}\n`, encoding: 'utf8' }).trim();
    expect(parseHash(hash)).toMatchObject({ cost: 'much' });
    expect(await compare(all, password, hash)).toBe(true);
    expect(await compare(all, `${password}x`, hash)).toBe(false);
    all.close();
  });

  it('refuses what would have to wait too long, computes once what many wait for, and forgets what nobody does', async () => {
    const all = checks(2);
    const first = compare(all, 'secret', bcrypt);
    const same = [compare(all, 'secret', bcrypt), compare(all, 'secret', bcrypt)];
    const second = compare(all, 'b', bcrypt);
    const giveUp = all.compare('c', bcrypt, () => expect.unreachable());
    expect(await compare(all, 'd', bcrypt)).toBe('full');
    giveUp!();
    expect(await Promise.all([first, ...same, second, compare(all, 'e', bcrypt)])).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    all.close();
  });

  it('answers who asks for the same while others hear of it and give up what they have asked for', async () => {
    const all = checks();
    const answers: number[] = [];
    const giveUps: ((() => void) | undefined)[] = [];
    const ask = (number: number, then = () => {}) => {
      const hear = () => {
        answers.push(number);
        then();
      };
      giveUps.push(all.compare('x', bcrypt, hear));
    };
    ask(1, () => ask(3));
    ask(2, () => {
      for (const giveUp of giveUps.splice(0, 2)) giveUp!();
      ask(4);
    });
    await vi.waitFor(() => expect(answers).toEqual([1, 2, 3, 4]));
    all.close();
  });

  it('fails when its thread does, and tries again', async () => {
    const all = checks(2, new URL('data:text/javascript,throw new Error("broken")'));
    expect(await Promise.all([compare(all, 'a', bcrypt), compare(all, 'b', bcrypt)])).toEqual([undefined, undefined]);
    expect(all.faults).toEqual(['broken', 'broken']);
    all.close();
  });

  it('leaves the front free for others, remembers who is right over plans, and answers 503 to the rest', async () => {
    const place = await oneRoute('127.77.14.30', '127.77.14.31', { filters: { maxPasswordQueue: 1 } });
    const filter = { type: 'basic-auth', realm: 'r', users: [{ name: 'slow', hash: slowHash }] } as const;
    await place.use([filter]);
    const as = (password: string) =>
      place.ask({ lines: [`Authorization: Basic ${Buffer.from(`slow:${password}`).toString('base64')}`] });
    let ticks = 0;
    const ticker = setInterval(() => ticks++, 5);
    expect((await as('secret')).status).toBe(200);
    clearInterval(ticker);
    expect(ticks).toBeGreaterThan(3);
    await place.use([{ ...filter, realm: 'another' }]);
    const guesses = ['a', 'b', 'c', 'd', 'e'].map(as);
    expect((await as('secret')).status).toBe(200);
    const statuses = (await Promise.all(guesses)).map(({ status }) => status).sort();
    expect(statuses).toEqual([401, 401, 503, 503, 503]);
    await place.close();
  });
});
