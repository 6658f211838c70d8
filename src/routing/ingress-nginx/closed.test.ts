/** What protects and cannot be honoured shuts its own location, says why, and changes nothing else. */
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../base/diagnostics/index.ts';
import { loadObjects } from '../ingress/test-helpers.ts';
import type { Route } from '../plan/plan.ts';
import type { TranslateOutput } from '../translate.ts';
import { isNginxKey, type NginxKey, nginxAnnotations, nginxPrefix, rowOf } from './annotations/table.ts';
import { configMap, hash, secret } from './policy/testing.ts';
import { become, nginxIngress, services, translateNginx } from './testing.ts';

type Texts = Readonly<Record<string, string>>;

interface Case {
  readonly why: string;
  readonly annotations: Texts;
  readonly config?: Texts;
  /** Of the guarded Ingress. */
  readonly path?: string;
}

const users = { auth: `anna:${hash}` };
const badCrl = Buffer.from('-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n').toString('base64');
const objects = [
  ...loadObjects(
    `{ apiVersion: v1, kind: Secret, metadata: { name: bad-crl }, data: { ca.crt: $(root.crt), ca.crl: ${badCrl} } }`,
  ),
  ...services('web', 'pages', 'default-backend'),
  secret('users', users, 'default'),
  secret('users', users, 'elsewhere'),
  secret('no-users', { other: 'x' }, 'default'),
  secret('odd-users', { auth: 'anna:plainly' }, 'default'),
  secret('not-ca', { 'ca.crt': 'nothing' }, 'default'),
  secret('empty', {}, 'default'),
  ...loadObjects('{ apiVersion: v1, kind: Secret, metadata: { name: ca }, data: { ca.crt: $(root.crt) } }'),
  configMap('headers', { 'X-Tenant': '$nothing' }, 'default'),
  configMap('bad-headers', { 'X Tenant': 'a' }, 'default'),
  configMap('elsewhere', { 'X-Tenant': 'a' }, 'elsewhere'),
];

const basic = { 'auth-type': 'basic', 'auth-secret': 'users' };
const gate = { 'auth-url': 'http://pages.default.svc.cluster.local/check' };
const permitted = { 'allow-snippet-annotations': 'true', 'annotations-risk-level': 'Critical' };

/** Each shuts the location for the annotation that it is listed under. */
const cases: Readonly<Partial<Record<NginxKey, readonly Case[]>>> = {
  'auth-type': [
    { why: 'digest', annotations: { ...basic, 'auth-type': 'digest' } },
    { why: 'a scheme that is none', annotations: { ...basic, 'auth-type': 'ntlm' } },
    { why: 'a scheme in other letters', annotations: { ...basic, 'auth-type': 'BASIC' } },
  ],
  'auth-secret': [
    { why: 'no Secret', annotations: { 'auth-type': 'basic' } },
    { why: 'an empty name', annotations: { 'auth-type': 'basic', 'auth-secret': '' } },
    { why: 'a Secret that is not there', annotations: { ...basic, 'auth-secret': 'gone' } },
    { why: 'a Secret without users', annotations: { ...basic, 'auth-secret': 'no-users' } },
    { why: 'a Secret whose users cannot log in', annotations: { ...basic, 'auth-secret': 'odd-users' } },
    { why: 'a Secret of another namespace', annotations: { ...basic, 'auth-secret': 'elsewhere/users' } },
    { why: 'a path instead of a name', annotations: { ...basic, 'auth-secret': '../elsewhere/users' } },
    { why: 'a map without entries', annotations: { ...basic, 'auth-secret': 'empty', 'auth-secret-type': 'auth-map' } },
  ],
  'auth-secret-type': [{ why: 'a type that is none', annotations: { ...basic, 'auth-secret-type': 'file' } }],
  satisfy: [
    { why: 'neither all nor any', annotations: { ...basic, satisfy: 'either' } },
    { why: 'neither, and nothing else', annotations: { satisfy: 'ANY' } },
  ],
  'auth-url': [
    { why: 'no URL', annotations: { 'auth-url': 'check' } },
    { why: 'another scheme', annotations: { 'auth-url': 'unix:/run/check' } },
    { why: 'a host of the request', annotations: { 'auth-url': 'http://$arg_host/check' } },
    { why: 'part of a host of the request', annotations: { 'auth-url': 'http://$http_x.example.com/check' } },
    { why: 'an address', annotations: { 'auth-url': 'http://10.0.0.1/check' } },
    { why: 'an address of IPv6', annotations: { 'auth-url': 'http://[::1]/check' } },
    { why: 'the machine itself', annotations: { 'auth-url': 'http://localhost/check' } },
    { why: 'a name without dots', annotations: { 'auth-url': 'http://intranet/check' } },
    { why: 'a Service that is not there', annotations: { 'auth-url': 'http://gone.default.svc.cluster.local/check' } },
    { why: 'a port that is not there', annotations: { 'auth-url': 'http://web.default.svc.cluster.local:99/check' } },
    { why: 'a port that is none', annotations: { 'auth-url': 'http://web.default.svc.cluster.local:0/check' } },
    { why: 'a name and a password', annotations: { 'auth-url': 'http://a:b@web.default.svc.cluster.local/' } },
    { why: 'a variable that is not known', annotations: { 'auth-url': `${gate['auth-url']}?a=$geoip_country` } },
    { why: 'a dollar sign alone', annotations: { 'auth-url': `${gate['auth-url']}?a=$` } },
    { why: 'itself', annotations: { 'auth-url': 'https://$host/guarded' } },
    { why: 'line ends', annotations: { 'auth-url': `${gate['auth-url']}\nreturn 200` } },
  ],
  'auth-method': [{ why: 'a method that is none', annotations: { ...gate, 'auth-method': 'BREW' } }],
  'auth-signin': [
    { why: 'a script', annotations: { ...gate, 'auth-signin': 'javascript:alert(1)' } },
    { why: 'a variable that is not known', annotations: { ...gate, 'auth-signin': 'https://a.example/$nothing' } },
  ],
  'auth-response-headers': [{ why: 'no header names', annotations: { ...gate, 'auth-response-headers': 'X User' } }],
  'auth-proxy-set-headers': [
    { why: 'a ConfigMap that is not there', annotations: { ...gate, 'auth-proxy-set-headers': 'gone' } },
    { why: 'a ConfigMap of another namespace', annotations: { ...gate, 'auth-proxy-set-headers': 'elsewhere/elsewhere' } }, // biome-ignore format: one row
    { why: 'a variable that is not known', annotations: { ...gate, 'auth-proxy-set-headers': 'headers' } },
    { why: 'a name that is none', annotations: { ...gate, 'auth-proxy-set-headers': 'bad-headers' } },
    { why: 'a path', annotations: { ...gate, 'auth-proxy-set-headers': '../headers' } },
  ],
  'auth-cache-key': [
    { why: 'a variable that is not known', annotations: { ...gate, 'auth-cache-key': '$nothing' } },
    { why: 'no text', annotations: { ...gate, 'auth-cache-key': '"' } },
  ],
  'auth-cache-duration': [
    { why: 'no time', annotations: { ...gate, 'auth-cache-key': '$host', 'auth-cache-duration': 'forever' } },
  ],
  'auth-snippet': [
    { why: 'not permitted', annotations: { ...gate, 'auth-snippet': 'proxy_set_header A b;' } },
    { why: 'not understood', annotations: { ...gate, 'auth-snippet': 'internal;' }, config: permitted },
  ],
  'enable-global-auth': [
    {
      ...{ why: 'neither true nor false', annotations: { 'enable-global-auth': 'off' } },
      config: { 'global-auth-url': gate['auth-url'] },
    },
    {
      ...{ why: 'a service that is not there', annotations: {} },
      config: { 'global-auth-url': 'http://gone.default.svc/' },
    },
  ],
  'allowlist-source-range': [
    { why: 'no addresses', annotations: { 'allowlist-source-range': 'everybody' } },
    { why: 'nothing', annotations: { 'allowlist-source-range': '' } },
    { why: 'commas alone', annotations: { 'allowlist-source-range': ' , ' } },
    { why: 'one that is none among others', annotations: { 'allowlist-source-range': '10.0.0.0/8,10.0.0.0/33' } },
  ],
  'whitelist-source-range': [
    { why: 'no addresses', annotations: { 'whitelist-source-range': '10.0.0' } },
    { why: 'nothing', annotations: { 'whitelist-source-range': '' } },
  ],
  'denylist-source-range': [
    { why: 'no addresses', annotations: { 'denylist-source-range': '192.0.2.0-192.0.2.9' } },
    { why: 'nothing', annotations: { 'denylist-source-range': ' ' } },
  ],
  'enable-modsecurity': [
    { why: 'there is none', annotations: { 'enable-modsecurity': 'true' } },
    { why: 'neither true nor false', annotations: { 'enable-modsecurity': 'on' } },
  ],
  'configuration-snippet': [
    { why: 'not permitted', annotations: { 'configuration-snippet': 'deny all;' } },
    {
      ...{ why: 'not permitted by the risk', annotations: { 'configuration-snippet': 'return 403;' } },
      config: { 'allow-snippet-annotations': 'true' },
    },
    { why: 'not understood', annotations: { 'configuration-snippet': 'deny all;' }, config: permitted },
    { why: 'not closed', annotations: { 'configuration-snippet': 'if ($host) {' }, config: permitted },
    {
      why: 'a pattern',
      annotations: { 'configuration-snippet': 'if ($uri ~ (?=a)) { return 403; }' },
      config: permitted,
    },
  ],
  'custom-headers': [
    { why: 'a ConfigMap that is not there', annotations: { 'custom-headers': 'gone' } },
    { why: 'a ConfigMap of another namespace', annotations: { 'custom-headers': 'elsewhere/elsewhere' } },
    { why: 'names that are not allowed', annotations: { 'custom-headers': 'headers' } },
    { why: 'a path', annotations: { 'custom-headers': '../headers' } },
  ],
  'proxy-ssl-secret': [
    { why: 'a Secret that is not there', annotations: { 'proxy-ssl-secret': 'default/gone' } },
    { why: 'a Secret of another namespace', annotations: { 'proxy-ssl-secret': 'elsewhere/users' } },
    { why: 'no authorities', annotations: { 'proxy-ssl-secret': 'default/not-ca' } },
    { why: 'a path', annotations: { 'proxy-ssl-secret': '../ca' } },
  ],
  'proxy-ssl-verify': [
    { why: 'no authorities', annotations: { 'proxy-ssl-secret': 'default/empty', 'proxy-ssl-verify': 'on' } },
    { why: 'neither on nor off', annotations: { 'proxy-ssl-secret': 'default/empty', 'proxy-ssl-verify': 'true' } },
  ],
  'proxy-ssl-verify-depth': [
    { why: 'no number', annotations: { 'proxy-ssl-secret': 'default/empty', 'proxy-ssl-verify-depth': 'deep' } },
  ],
  'proxy-ssl-name': [{ why: 'no name', annotations: { 'proxy-ssl-secret': 'default/empty', 'proxy-ssl-name': 'a b' } }],
};

/** Said of whole hosts: all locations of the host are shut, whoever has them. */
const ofHosts: typeof cases = {
  'auth-tls-secret': [
    { why: 'a Secret that is not there', annotations: { 'auth-tls-secret': 'default/gone' } },
    { why: 'a Secret of another namespace', annotations: { 'auth-tls-secret': 'elsewhere/users' } },
    { why: 'no authorities', annotations: { 'auth-tls-secret': 'default/not-ca' } },
    { why: 'nothing', annotations: { 'auth-tls-secret': 'default/empty' } },
    { why: 'revocations that cannot be read', annotations: { 'auth-tls-secret': 'default/bad-crl' } },
    { why: 'a path', annotations: { 'auth-tls-secret': '../ca' } },
  ],
  'auth-tls-verify-client': [
    { why: 'a mode that is none', annotations: { 'auth-tls-secret': 'default/ca', 'auth-tls-verify-client': 'yes' } },
  ],
  'auth-tls-verify-depth': [
    { why: 'no number', annotations: { 'auth-tls-secret': 'default/ca', 'auth-tls-verify-depth': '-1' } },
  ],
  'auth-tls-match-cn': [
    { why: 'no CN', annotations: { 'auth-tls-secret': 'default/ca', 'auth-tls-match-cn': 'admin' } },
    { why: 'a pattern', annotations: { 'auth-tls-secret': 'default/ca', 'auth-tls-match-cn': 'CN=(?!a)' } },
  ],
  'server-snippet': [{ why: 'not understood', annotations: { 'server-snippet': 'deny all;' }, config: permitted }],
};

interface Estate {
  readonly output: TranslateOutput;
  readonly guarded: readonly Route[];
  readonly sibling: readonly Route[];
  readonly others: readonly unknown[];
}

/** `guarded` and an older `sibling` on one host, and what else there is on the machine. */
function build({ annotations, config = {}, path = '/guarded' }: Omit<Case, 'why'>): Estate {
  const output = translateNginx([
    ...objects,
    { ...configMap('ingress-nginx-controller', config, 'ingress-nginx') },
    nginxIngress('sibling', [['shop.example', 'Prefix', '/sibling', 'web']], { age: 1 }),
    nginxIngress('guarded', [['shop.example', 'ImplementationSpecific', path, 'web']], { age: 2, annotations }),
    nginxIngress('other', [['other.example', 'Prefix', '/', 'web']], { age: 3 }),
    nginxIngress('everyone', [['', 'Prefix', '/public', 'web']], { age: 4 }),
  ]);
  const { hosts } = output.listeners[0]!;
  const routes = hosts.find(({ hostname }) => hostname === 'shop.example')?.routes ?? [];
  const of = (name: string) => routes.filter(({ source }) => source.object.name === name);
  return {
    output,
    guarded: of('guarded'),
    sibling: of('sibling'),
    others: hosts.filter(({ hostname }) => hostname !== 'shop.example'),
  };
}

/** Findings about an annotation of the guarded Ingress. */
function toldOf({ output }: Estate, name: string): readonly Diagnostic[] {
  return output.diagnostics.filter(
    ({ object, fieldPath }) =>
      object?.name === 'guarded' && fieldPath === `metadata.annotations["${nginxPrefix}${name}"]`,
  );
}

const isShut = ({ action }: Route) => action.type === 'respond' && action.status === 503;
const flat = (all: typeof cases) =>
  Object.entries(all).flatMap(([key, list]) => list.map((each) => ({ key, ...each })));

describe.each(flat(cases))('$key: $why', ({ key, ...asked }) => {
  const estate = build(asked);
  const free = build({ ...asked, annotations: {} });

  it('shuts its location, with a reason that names the annotation', () => {
    expect(estate.guarded.length).toBeGreaterThan(0);
    for (const { action } of estate.guarded) {
      expect(action).toMatchObject({ type: 'respond', status: 503 });
      expect(action).toHaveProperty('reason', expect.stringContaining(key));
    }
    expect(become({ output: estate.output, host: 'shop.example', target: '/guarded/a' })).toBe('503');
  });

  it('is a finding of severity error at the annotation', () => {
    expect(toldOf(estate, key).map(({ severity }) => severity)).toContain('error');
  });

  it('leaves other Ingresses of the host, other hosts and their backends as they are', () => {
    if (key !== 'enable-global-auth') expect(estate.sibling.every((route) => !isShut(route))).toBe(true);
    expect(estate.sibling).toEqual(free.sibling);
    expect(estate.others).toEqual(free.others);
  });
});

describe.each(flat(ofHosts))('$key: $why', ({ key, ...asked }) => {
  it('shuts the host that it is said of, and no other', () => {
    const estate = build(asked);
    for (const { action } of [...estate.guarded, ...estate.sibling])
      expect(action).toMatchObject({ type: 'respond', status: 503, reason: expect.stringContaining(key.slice(0, 8)) });
    expect(toldOf(estate, key).map(({ severity }) => severity)).toContain('error');
    expect(estate.others).toEqual(build({ ...asked, annotations: {} }).others);
  });
});

it.each([
  ['whitelist-source-range', { 'whitelist-source-range': 'the office' }],
  ['denylist-source-range', { 'denylist-source-range': '-' }],
  ['block-cidrs', { 'block-cidrs': '10.0.0.0/40' }],
  ['block-user-agents', { 'block-user-agents': '~(' }],
  ['block-referers', { 'block-referers': '~*(?=a)' }],
  ['global-auth-url', { 'global-auth-url': 'auth.example.com' }],
  ['global-auth-response-headers', { 'global-auth-url': gate['auth-url'], 'global-auth-response-headers': 'X User' }],
  ['enable-modsecurity', { 'enable-modsecurity': 'true' }],
  ['proxy-real-ip-cidr', { 'proxy-real-ip-cidr': 'proxies' }],
  ['server-snippet', { 'server-snippet': 'deny all;' }],
  ['location-snippet', { 'location-snippet': 'internal;' }],
])('%s of the ConfigMap, which is for all locations, shuts all of them', (key, config) => {
  const { guarded, sibling, others, output } = build({ annotations: {}, config });
  for (const { action } of [...guarded, ...sibling]) expect(action).toMatchObject({ type: 'respond', status: 503, reason: expect.stringContaining(key) }); // biome-ignore format: one line
  expect(others).not.toEqual(build({ annotations: {} }).others);
  expect(['', 'other.example'].map((host) => become({ output, host, target: host === '' ? '/public' : '/' }))).toEqual(['503', '503']); // biome-ignore format: one line
  expect(output.diagnostics.filter(({ severity }) => severity === 'error')).not.toEqual([]);
});

it('no annotation that protects is left out here', () => {
  const covered = new Set([...Object.keys(cases), ...Object.keys(ofHosts)]);
  const protecting = Object.keys(nginxAnnotations).filter((key) => isNginxKey(key) && rowOf(key).protects);
  expect(protecting.filter((key) => !covered.has(key))).toEqual([]);
});
