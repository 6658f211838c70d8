/** Who may come in: lists of addresses, passwords, either of them. */
import fc from 'fast-check';
import type { OracleCase } from '../harness/case.ts';
import { onlyGet, requests } from '../harness/generate.ts';
import { ingress, nobody, prefix, rest, secret, server } from '../harness/lines.ts';

/** On no list. Clients come from 127.85.0.0/16. */
const stranger = '127.86.0.1';
const friend = '127.85.200.7';

const web = { '/web': 'alpha' } as const;
const paths = [...Object.keys(web), '/web/x', '/', '/other'];

/** One Ingress of one path and its server, whose lines also stand for what no rule takes. */
function guarded(host: string, annotations: Readonly<Record<string, string>>) {
  return ingress({ name: host.replace('.test', ''), annotations, rules: { [host]: [['Prefix', '/web', 'alpha']] } });
}
function guard(host: string, before: string): string {
  return server(host, prefix('/web', 'alpha', { before }) + rest({ before }));
}

const senders = ['a.test', 'b.test', 'c.test', 'd.test'];
const fromAnywhere = (ask: fc.Arbitrary<{ host: string; target: string }>) =>
  fc.tuple(ask, fc.constantFrom(undefined, stranger, friend)).map(([one, from]) => (from ? { ...one, from } : one));

/** `secret` hashed in the ways that a file of passwords may have it. */
const passwords = [
  'apr:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/',
  'sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=',
  'plain:{PLAIN}secret',
  'bcrypt:$2b$04$RWCLhjaShHd/HUAFNhNVO..0ypNBRx0P4/r5wIe1IIOXC9oAdfu8q',
  'ssha:{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0',
  'md5:$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1',
  'sha256:$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.',
  'sha512:$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.',
  'des:abNANd1rDfiNc',
  '# a comment',
  'colon:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=:a comment',
  'nothing:',
].join('\n');

const basic = (text: string) => ['Authorization', `Basic ${Buffer.from(text).toString('base64')}`] as const;
const credentials = fc.constantFrom(
  [],
  ...['apr', 'sha', 'plain', 'bcrypt', 'ssha', 'md5', 'sha256', 'sha512', 'des', 'colon', 'nothing', 'nobody'].map(
    (user) => [basic(`${user}:secret`)],
  ),
  ...['apr', 'sha', 'bcrypt'].map((user) => [basic(`${user}:wrong`)]),
  [basic('sha:')],
  [basic('sha')],
  [basic(':secret')],
  [basic('SHA:secret')],
  [basic('sha:secret:')],
  [['Authorization', 'Basic !!!']] as const,
  [['Authorization', 'Basic']] as const,
  [['Authorization', 'Bearer token']] as const,
  [['authorization', `basic ${Buffer.from('sha:secret').toString('base64')}`]] as const,
);

const auth = (realm: string, file: string) => `auth_basic "${realm}"; auth_basic_user_file %folder%/${file}; proxy_set_header Authorization "";`; // biome-ignore format: one line

export const accessCases: readonly OracleCase[] = [
  {
    name: 'lists of addresses',
    manifests:
      guarded('a.test', { 'whitelist-source-range': '127.85.200.0/24, 10.0.0.0/8' }) +
      guarded('b.test', { 'denylist-source-range': '127.86.0.0/16' }) +
      guarded('c.test', { 'allowlist-source-range': '127.85.0.0/16', 'denylist-source-range': '127.85.200.7' }) +
      guarded('d.test', { 'whitelist-source-range': '2001:db8::/32' }),
    nginx: {
      servers:
        nobody +
        guard('a.test', 'allow 127.85.200.0/24; allow 10.0.0.0/8; deny all;') +
        guard('b.test', 'deny 127.86.0.0/16;') +
        guard('c.test', 'deny 127.85.200.7/32; allow 127.85.0.0/16; deny all;') +
        guard('d.test', 'allow 2001:db8::/32; deny all;'),
    },
    requests: fromAnywhere(
      requests({
        hosts: senders,
        paths,
        methods: onlyGet,
        headers: fc.constantFrom([], [['X-Forwarded-For', friend]], [['X-Real-IP', friend]]),
      }),
    ),
  },
  {
    name: 'passwords',
    manifests:
      secret('passwords', { auth: passwords }) +
      secret('users', { sha: '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=' }) +
      guarded('a.test', { 'auth-type': 'basic', 'auth-secret': 'passwords', 'auth-realm': 'Members only' }) +
      guarded('b.test', { 'auth-type': 'basic', 'auth-secret': 'users', 'auth-secret-type': 'auth-map' }) +
      guarded('c.test', { 'auth-type': 'basic', 'auth-secret': 'missing' }),
    nginx: {
      files: { passwords, users: 'sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n' },
      servers:
        nobody +
        guard('a.test', auth('Members only', 'passwords')) +
        guard('b.test', auth('', 'users')) +
        guard('c.test', 'return 503;'),
    },
    requests: requests({
      hosts: ['a.test', 'a.test', 'b.test', 'c.test'],
      paths,
      methods: onlyGet,
      headers: credentials,
    }),
  },
  {
    name: 'satisfy',
    manifests: ['any', 'all']
      .map((satisfy) =>
        guarded(`${satisfy}.test`, {
          satisfy,
          'auth-type': 'basic',
          'auth-secret': 'passwords',
          'whitelist-source-range': '127.85.200.0/24',
        }),
      )
      .concat(secret('passwords', { auth: passwords }))
      .join(''),
    nginx: {
      files: { passwords },
      servers: ['any', 'all']
        .map((satisfy) =>
          guard(`${satisfy}.test`, `${auth('', 'passwords')} allow 127.85.200.0/24; deny all; satisfy ${satisfy};`),
        )
        .concat(nobody)
        .join(''),
    },
    requests: fromAnywhere(
      requests({ hosts: ['any.test', 'all.test'], paths, methods: onlyGet, headers: credentials }),
    ),
  },
];
