/** Copies of requests for a mirror, and pages of another backend in the place of errors. */
import fc from 'fast-check';
import type { OracleCase } from '../harness/case.ts';
import type { Ask } from '../harness/client.ts';
import { tell } from '../harness/echo.ts';
import { requests, someHeaders } from '../harness/generate.ts';
import { ingress, location, nobody, prefix, rest, server } from '../harness/lines.ts';

const copiesHost = 'copies.default.svc.cluster.local';

interface Mirrored {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly pass: string;
  readonly host?: string;
  readonly body?: 'on' | 'off';
}

const mirrored: readonly Mirrored[] = [
  {
    name: 'uri',
    annotations: { 'mirror-target': `http://${copiesHost}$request_uri` },
    pass: 'http://copies$request_uri',
  },
  { name: 'fixed', annotations: { 'mirror-target': `http://${copiesHost}/seen` }, pass: 'http://copies/seen' },
  {
    name: 'named',
    annotations: { 'mirror-target': `http://${copiesHost}$request_uri`, 'mirror-host': 'other.example', 'mirror-request-body': 'off' }, // biome-ignore format: one line
    pass: 'http://copies$request_uri',
    host: 'other.example',
    body: 'off',
  },
];

function mirrorServer({ name, pass, host = copiesHost, body = 'on' }: Mirrored): string {
  const before = `mirror /_mirror-${name}; mirror_request_body ${body};`;
  return server(
    `${name}.test`,
    `location = /_mirror-${name} { internal; proxy_set_header Host ${host}; proxy_pass ${pass}; }
    ${prefix('/web', 'alpha', { before })}${rest({ before })}`,
  );
}

/** What a page of errors is asked for with. */
function pageLocation(code: number, service: string): string {
  return `
    location @page_${code} {
      internal; proxy_intercept_errors off;
      proxy_set_header X-Code ${code}; proxy_set_header X-Format $http_accept; proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Namespace default; proxy_set_header X-Ingress-Name errors; proxy_set_header X-Service-Name ${service};
      proxy_set_header X-Service-Port 80; proxy_set_header X-Request-ID $req_id;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Host $http_host;
      rewrite (.*) / break;
      proxy_pass http://pages;
    }`;
}

const intercept = (codes: readonly number[]) =>
  `proxy_intercept_errors on; ${codes.map((code) => `error_page ${code} = @page_${code};`).join(' ')}`;

/** Who is not let in gets a page as well. */
function refusing(): string {
  const before = (service: string, port: string) =>
    `set $page_service '${service}'; set $page_port '${port}'; ${intercept([401, 403])} deny 127.86.0.0/16; auth_request /_auth;`;
  const pages = [401, 403].map(
    (code) =>
    pageLocation(code, '$page_service').replace('Ingress-Name errors', 'Ingress-Name refused').replace('X-Service-Port 80', 'X-Service-Port $page_port'), // biome-ignore format: one line
  );
  const auth = `
    location = /_auth { internal; proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_pass http://auth/check;
      proxy_set_header X-Forwarded-Proto ""; proxy_set_header X-Request-ID $req_id; proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header Host auth.default.svc.cluster.local; proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
      proxy_set_header X-Original-Method $request_method; proxy_set_header X-Sent-From "nginx-ingress-controller";
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Auth-Request-Redirect $request_uri;
      proxy_http_version 1.1; }`;
  return auth + pages.join('') + prefix('/web', 'alpha', { before: before('alpha', '80') }) + rest({ before: before('', '') }); // biome-ignore format: one line
}

const errorCodes = [404, 410, 500, 503];

const told = fc
  .record({
    status: fc.constantFrom(200, 304, 400, 401, 404, 404, 410, 500, 503, 502),
    headers: fc.subarray([['Set-Cookie', 'app=1'], ['X-App', 'yes'], ['Content-Type', 'text/x-app'], ['Cache-Control', 'no-store'], ['WWW-Authenticate', 'Basic realm="app"']] as [string, string][]), // biome-ignore format: one line
  })
  .map((instruction) => [tell('alpha', instruction)]);

const judged = fc
  .record({
    status: fc.constantFrom(200, 401, 401, 403, 500),
    headers: fc.subarray([['WWW-Authenticate', 'Bearer']] as [string, string][]),
  })
  .map((instruction) => [tell('auth', instruction)]);

/**
 * With `mirror-request-body: off`, nginx announces a body to the mirror that it never sends: the mirror waits for it,
 * and the client's connection with it. That is not what is compared here.
 */
function withoutBodyNotSent(ask: Ask): Ask {
  return ask.host === 'named.test' ? { host: ask.host, target: ask.target, headers: ask.headers ?? [] } : ask;
}

export const copyAndPageCases: readonly OracleCase[] = [
  {
    name: 'mirror',
    settleMs: 300,
    manifests: mirrored
      .map(({ name, annotations }) => ingress({ name, annotations, rules: { [`${name}.test`]: [['Prefix', '/web', 'alpha']] } })) // biome-ignore format: one line
      .join(''),
    nginx: { servers: mirrored.map(mirrorServer).concat(nobody).join('') },
    requests: requests({
      hosts: mirrored.map(({ name }) => `${name}.test`),
      paths: ['/web', '/web/a/b', '/other'],
      headers: someHeaders,
    }).map(withoutBodyNotSent),
  },
  {
    name: 'pages of errors',
    manifests:
      ingress({
        name: 'errors',
        annotations: { 'custom-http-errors': errorCodes.join(','), 'default-backend': 'pages' },
        rules: { 'a.test': [['Prefix', '/web', 'alpha']] },
      }) +
      ingress({
        name: 'silent',
        annotations: {
          'custom-http-errors': '404',
          'default-backend': 'pages',
          'disable-proxy-intercept-errors': 'true',
        },
        rules: { 'b.test': [['Prefix', '/web', 'alpha']] },
      }) +
      ingress({
        name: 'refused',
        annotations: {
          'custom-http-errors': '401,403',
          'default-backend': 'pages',
          'auth-url': 'http://auth.default.svc.cluster.local/check',
          'denylist-source-range': '127.86.0.0/16',
        },
        rules: { 'c.test': [['Prefix', '/web', 'alpha']] },
      }),
    nginx: {
      servers:
        nobody +
        server('c.test', refusing()) +
        server(
          'a.test',
          // What no rule takes has no Service: the name is empty, and so is the port.
          errorCodes.map((code) => pageLocation(code, '$page_service').replace('X-Service-Port 80', 'X-Service-Port $page_port')).join('') + // biome-ignore format: one line
            prefix('/web', 'alpha', {
              before: `set $page_service alpha; set $page_port 80; ${intercept(errorCodes)}`,
            }) +
            rest({ before: `set $page_service ''; set $page_port ''; ${intercept(errorCodes)}` }),
        ) +
        server(
          'b.test',
          pageLocation(404, 'alpha').replace('X-Ingress-Name errors', 'X-Ingress-Name silent') +
            prefix('/web', 'alpha', { before: 'error_page 404 = @page_404;' }) +
            rest({ before: 'error_page 404 = @page_404;' }),
        ),
    },
    share: 2,
    requests: fc
      .tuple(
        requests({
          hosts: ['a.test', 'a.test', 'b.test', 'c.test', 'c.test'],
          paths: ['/web', '/web/x?y=z', '/other'],
          headers: fc.tuple(told, judged, someHeaders).map(([one, two, some]) => [...one, ...two, ...some]),
        }),
        fc.constantFrom(undefined, undefined, '127.86.0.1'),
      )
      .map(([ask, from]) => (from ? { ...ask, from } : ask)),
  },
  {
    name: 'no endpoints',
    manifests: `---
apiVersion: v1
kind: Service
metadata: { name: empty }
spec: { ports: [{ name: http, port: 80 }], selector: { app: empty } }
${ingress({ name: 'bare', rules: { 'a.test': [['Prefix', '/web', 'empty']] } })}
${ingress({ name: 'helped', annotations: { 'default-backend': 'pages' }, rules: { 'b.test': [['Prefix', '/web', 'empty']] } })}
${ingress({ name: 'lost', rules: { 'c.test': [['Prefix', '/web', 'missing']] } })}`,
    nginx: {
      servers:
        nobody +
        server('a.test', `location "/web/" { return 503; } location = "/web" { return 503; } ${rest()}`) +
        server('c.test', `location "/web/" { return 503; } location = "/web" { return 503; } ${rest()}`) +
        server(
          'b.test',
          prefix('/web', 'pages', {
            before: `proxy_set_header X-Code 503; proxy_set_header X-Format $http_accept; proxy_set_header X-Namespace default;
      proxy_set_header X-Ingress-Name helped; proxy_set_header X-Service-Name empty; proxy_set_header X-Service-Port 80;
      proxy_set_header X-Request-ID $req_id;`,
          }) + location('"/"', 'nowhere'),
        ),
    },
    share: 0.5,
    requests: requests({ hosts: ['a.test', 'b.test', 'c.test'], paths: ['/web', '/web/x', '/'] }),
  },
];
