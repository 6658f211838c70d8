/** External auth: what the service is asked, which answers let in, what goes on to the backend and back to the client. */
import fc from 'fast-check';
import type { OracleCase } from '../harness/case.ts';
import type { Ask } from '../harness/client.ts';
import { type Instruction, tell } from '../harness/echo.ts';
import { requests } from '../harness/generate.ts';
import { ingress, location, nobody, prefix, rest, server } from '../harness/lines.ts';

interface Auth {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly method?: string;
  readonly responseHeaders?: readonly string[];
  readonly signin?: string;
  readonly always?: boolean;
  readonly redirect?: string;
  readonly more?: string;
}

const authHost = 'auth.default.svc.cluster.local';

/** The location that asks. */
function asking(name: string, { path = '/check', method, redirect = '$request_uri' }: Auth): string {
  return `
    location = /_auth_${name} {
      internal;
      proxy_intercept_errors off; proxy_pass_request_body off;
      proxy_set_header Content-Length ""; proxy_set_header X-Forwarded-Proto "";
      proxy_set_header X-Request-ID $req_id;
      ${method ? `proxy_method ${method}; proxy_set_header X-Original-URI $request_uri; proxy_set_header X-Scheme $scheme;` : ''}
      proxy_set_header Host ${authHost};
      proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Sent-From "nginx-ingress-controller";
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Auth-Request-Redirect ${redirect};
      proxy_buffering off; proxy_buffer_size 4k; proxy_buffers 4 4k; proxy_http_version 1.1;
      client_max_body_size 1m;
      set $target http://auth${path};
      proxy_pass $target;
    }`;
}

/** Lines of the location that is guarded. */
function guard(name: string, { responseHeaders = [], always, signin, more = '' }: Auth): string {
  const copies = responseHeaders.map(
    (field, i) =>
      `auth_request_set $authHeader${i} $upstream_http_${field.toLowerCase().replaceAll('-', '_')}; proxy_set_header ${field} $authHeader${i};`, // biome-ignore format: one line
  );
  return `${more}
      auth_request /_auth_${name}; auth_request_set $auth_cookie $upstream_http_set_cookie;
      add_header Set-Cookie $auth_cookie${always ? ' always' : ''};
      ${copies.join('\n      ')}
      ${signin ? `error_page 401 = @signin_${name};` : ''}`;
}

function authServer(name: string, auth: Auth): string {
  const before = guard(name, auth);
  const signin = auth.signin
    ? `location @signin_${name} { internal; add_header Set-Cookie $auth_cookie; return 302 ${auth.signin}; }`
    : '';
  return server(
    `${name}.test`,
    `${asking(name, auth)}${signin}${prefix('/web', 'alpha', { before })}${rest({ before })}`,
  );
}

const url = `http://${authHost}/check`;

const services: Readonly<Record<string, Auth>> = {
  plain: {},
  post: { annotations: { 'auth-method': 'POST' }, method: 'POST' },
  query: { annotations: { 'auth-url': `${url}?from=front&x=1` }, path: '/check?from=front&x=1' },
  copy: {
    annotations: { 'auth-response-headers': 'X-User, X-Groups' },
    responseHeaders: ['X-User', 'X-Groups'],
  },
  cookies: { annotations: { 'auth-always-set-cookie': 'true' }, always: true },
  redirect: { annotations: { 'auth-request-redirect': 'https://elsewhere.example/back' }, redirect: 'https://elsewhere.example/back' }, // biome-ignore format: one line
  mixed: {
    annotations: { satisfy: 'any', 'whitelist-source-range': '127.86.0.0/16' },
    more: 'allow 127.86.0.0/16; deny all; satisfy any;',
  },
};

const answers: readonly Instruction[] = [
  ...[200, 200, 200, 201, 204, 299, 301, 302, 400, 401, 401, 403, 404, 429, 500, 503].map((status) => ({ status })),
  { status: 200, headers: [['X-User', 'ann'], ['X-Groups', 'a,b'], ['Set-Cookie', 'session=1; Path=/']] }, // biome-ignore format: one line
  {
    status: 401,
    headers: [
      ['WWW-Authenticate', 'Bearer realm="x"'],
      ['Set-Cookie', 'session=2'],
    ],
    body: 'denied here',
  },
  {
    status: 403,
    headers: [
      ['X-User', 'nobody'],
      ['Set-Cookie', 'session=3'],
    ],
    body: 'denied here',
  },
  { status: 302, headers: [['Location', 'https://login.example']] },
];

const backendAnswers: readonly Instruction[] = [
  ...[200, 200, 200, 404, 500, 304, 302].map((status) => ({ status })),
  {
    status: 200,
    headers: [
      ['Set-Cookie', 'app=1'],
      ['X-User', 'from the backend'],
    ],
  },
];

const asked = fc
  .record({
    auth: fc.constantFrom(...answers),
    backend: fc.constantFrom(...backendAnswers),
    more: fc.subarray([['X-User', 'mallory'], ['Cookie', 'a=1'], ['Authorization', 'Bearer t'], ['Accept', '*/*'], ['X-Original-URL', 'http://evil.example/']] as [string, string][]), // biome-ignore format: one line
  })
  .map(({ auth, backend, more }) => [tell('auth', auth), tell('alpha', backend), ...more]);

/** `set_escape_uri` is a module that Debian's nginx has not: the escaped forms stand in a table. */
const signinTargets = ['/web', '/web/a?b=c&d=/e', '/web/%20x', '/', '/other?rd=1', '/web/~a-b_c.d', '/web?x=a+b'];
const signinAsks: readonly Ask[] = signinTargets.flatMap((target) =>
  [200, 401, 403, 500].flatMap((status) =>
    ['in.test', 'query.in.test', 'own.in.test', 'param.in.test'].map((host) => ({
      host,
      target,
      headers: [tell('auth', { status, headers: [['Set-Cookie', 'auth=1']] })],
    })),
  ),
);

const signins: Readonly<Record<string, readonly [string, string, Readonly<Record<string, string>>]>> = {
  'in.test': ['https://login.example/start', 'https://login.example/start?rd=', {}],
  'query.in.test': ['https://login.example/start?a=b', 'https://login.example/start?a=b&rd=', {}],
  'own.in.test': ['https://login.example/start?rd=https://home.example', '', {}],
  'param.in.test': ['https://login.example/start', 'https://login.example/start?next=', { 'auth-signin-redirect-param': 'next' }], // biome-ignore format: one line
};

export const authCases: readonly OracleCase[] = [
  {
    name: 'external auth',
    manifests: Object.entries(services)
      .map(
        ([name, { annotations }]) =>
        ingress({ name, annotations: { 'auth-url': url, ...annotations }, rules: { [`${name}.test`]: [['Prefix', '/web', 'alpha']] } }), // biome-ignore format: one line
      )
      .join(''),
    nginx: {
      servers: Object.entries(services)
        .map(([name, auth]) => authServer(name, auth))
        .concat(nobody)
        .join(''),
    },
    share: 3,
    requests: fc
      .tuple(
        requests({
          hosts: Object.keys(services).map((name) => `${name}.test`),
          paths: ['/web', '/web/a', '/web/a%2Fb', '/other'],
          headers: asked,
        }),
        fc.constantFrom(undefined, undefined, '127.86.0.1'),
      )
      .map(([ask, from]) => (from ? { ...ask, from } : ask)),
  },
  {
    name: 'sign-in',
    manifests: Object.entries(signins)
      .map(([host, [signin, , more]]) =>
        ingress({
          name: host.replaceAll('.', '-'),
          annotations: { 'auth-url': url, 'auth-signin': signin, ...more },
          rules: { [host]: [['Prefix', '/web', 'alpha']] },
        }),
      )
      .join(''),
    nginx: {
      http: `map $request_uri $escaped { ${signinTargets.map((target) => `"${target}" "${encodeURIComponent(target)}";`).join(' ')} }`,
      servers: Object.entries(signins)
        .map(([host, [signin, start]]) =>
          authServer(host.replace('.test', '').replaceAll('.', '_'), {
            signin: start ? `"${start}$scheme://$http_host$escaped"` : `"${signin}"`,
          }).replace(/server_name [^;]*;/, `server_name ${host};`),
        )
        .concat(nobody)
        .join(''),
    },
    always: signinAsks,
  },
  {
    name: 'auth and passwords in the way of a rewrite',
    manifests: ingress({
      name: 'both',
      annotations: { 'auth-url': url, 'rewrite-target': '/$1' },
      rules: { 'a.test': [['ImplementationSpecific', '/web/(.*)', 'alpha']] },
    }),
    nginx: {
      servers:
        nobody +
        server(
          'a.test',
          asking('both', {}) +
            location('~* "^/web/(.*)"', 'alpha', {
              before: `${guard('both', {})} rewrite "(?i)/web/(.*)" /$1 break;`,
            }) +
            location('~* "^/"', 'nowhere', { before: `${guard('both', {})} rewrite "(?i)/" /$1 break;` }),
        ),
    },
    requests: requests({ hosts: ['a.test'], paths: ['/web/a', '/web/', '/other', '/web/a/b?c=d'], headers: asked }),
  },
];
