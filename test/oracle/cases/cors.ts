/** CORS: origins, preflights, and what is added to which responses. */
import fc from 'fast-check';
import type { OracleCase } from '../harness/case.ts';
import { tell } from '../harness/echo.ts';
import { requests } from '../harness/generate.ts';
import { ingress, nobody, prefix, rest, server } from '../harness/lines.ts';

const anyHeaders = 'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization'; // biome-ignore format: one line
const anyMethods = 'GET, PUT, POST, DELETE, PATCH, OPTIONS';

interface Cors {
  /** Condition on the Origin, or `*`. */
  readonly origins: string;
  readonly credentials?: boolean;
  readonly methods?: string;
  readonly headers?: string;
  readonly expose?: string;
  readonly maxAge?: number;
}

const variable = (name: string, field: string) => `$${name}_${field.toLowerCase().replaceAll('-', '_')}`;
const ofBackend = (field: string) => `$upstream_http_access_control_${field.toLowerCase().replaceAll('-', '_')}`;

function fieldsOf({
  credentials = true,
  methods = anyMethods,
  headers = anyHeaders,
  expose = '',
  maxAge = 1728000,
}: Cors) {
  const fields: Readonly<Record<string, string>> = {
    'Allow-Methods': methods,
    'Allow-Headers': headers,
    'Allow-Credentials': credentials ? 'true' : '',
    'Expose-Headers': expose,
    'Max-Age': String(maxAge),
  };
  return fields;
}

/**
 * The headers of origins that are allowed stand in the place of the backend's; others, and headers that are not
 * configured, leave what the backend says. A header without a value is not written.
 */
function corsMaps(name: string, cors: Cors): string {
  const origin =
    cors.origins === '*'
      ? `map '' $origin_${name} { default '*'; }`
      : `map $http_origin $origin_${name} { default ''; "~*${cors.origins}" $http_origin; }`;
  const others = Object.entries(fieldsOf(cors)).map(
    ([field, value]) =>
      `map $origin_${name} ${variable(name, field)} { '' ${ofBackend(field)}; default ${value ? `'${value}'` : ofBackend(field)}; }`, // biome-ignore format: one line
  );
  const shown = `map $origin_${name} ${variable(name, 'Allow-Origin')} { '' ${ofBackend('Allow-Origin')}; default $origin_${name}; }`; // biome-ignore format: one line
  return [origin, shown, ...others].join('\n');
}

function corsLines(name: string, cors: Cors): string {
  const fields = ['Allow-Origin', ...Object.keys(fieldsOf(cors))];
  const added = fields.map((field) => `add_header Access-Control-${field} ${variable(name, field)} always;`).join(' ');
  return `${fields.map((field) => `proxy_hide_header Access-Control-${field};`).join(' ')}
      set $preflight $request_method; if ($origin_${name} = '') { set $preflight no; }
      if ($preflight = OPTIONS) { ${added} return 204; }
      ${added}`;
}

const kinds: Readonly<Record<string, readonly [Cors, Readonly<Record<string, string>>]>> = {
  every: [{ origins: '*' }, {}],
  one: [
    { origins: '((https://app\\.example))$', credentials: false, maxAge: 600 },
    { 'cors-allow-origin': 'https://app.example', 'cors-allow-credentials': 'false', 'cors-max-age': '600' },
  ],
  some: [
    {
      origins: '((https://[A-Za-z0-9\\-]+\\.app\\.example)|(http://local:8080))$',
      methods: 'GET, POST',
      headers: 'X-One,X-Two',
      expose: 'X-Shown, X-Other',
    },
    {
      'cors-allow-origin': 'https://*.app.example, http://local:8080',
      'cors-allow-methods': 'GET, POST',
      'cors-allow-headers': 'X-One,X-Two',
      'cors-expose-headers': 'X-Shown, X-Other',
    },
  ],
};

const origins = ['https://app.example', 'HTTPS://APP.example', 'https://a.app.example', 'https://a.b.app.example', 'http://local:8080', 'http://local', 'https://app.example:443', 'null', 'https://evil.example', 'https://app.example.evil', 'xhttps://app.example']; // biome-ignore format: one line

export const corsCases: readonly OracleCase[] = [
  {
    name: 'cors',
    manifests: Object.entries(kinds)
      .map(
        ([name, [, annotations]]) =>
        ingress({ name, annotations: { 'enable-cors': 'true', ...annotations }, rules: { [`${name}.test`]: [['Prefix', '/x', 'alpha']] } }), // biome-ignore format: one line
      )
      .join(''),
    nginx: {
      http: Object.entries(kinds)
        .map(([name, [cors]]) => corsMaps(name, cors))
        .join('\n'),
      servers: Object.entries(kinds)
        .map(([name, [cors]]) => {
          const before = corsLines(name, cors);
          return server(`${name}.test`, prefix('/x', 'alpha', { before }) + rest({ before }));
        })
        .concat(nobody)
        .join(''),
    },
    requests: requests({
      hosts: Object.keys(kinds).map((name) => `${name}.test`),
      paths: ['/x', '/x/y', '/'],
      methods: fc.constantFrom('GET', 'POST', 'OPTIONS', 'OPTIONS', 'HEAD', 'DELETE'),
      headers: fc
        .record({
          origin: fc.constantFrom(undefined, ...origins),
          method: fc.constantFrom(undefined, 'GET', 'DELETE'),
          told: fc.constantFrom(
            undefined,
            { status: 500 },
            { status: 404 },
            { headers: [['Vary', 'Accept']] as const },
            {
              headers: [
                ['Access-Control-Allow-Origin', 'https://of-the-backend.example'],
                ['Access-Control-Expose-Headers', 'X-Of-The-Backend'],
                ['Access-Control-Max-Age', '7'],
              ] as const,
            },
          ),
        })
        .map(({ origin, method, told }) => [
          ...(origin ? [['Origin', origin] as const] : []),
          ...(method ? [['Access-Control-Request-Method', method] as const] : []),
          ...(told ? [tell('alpha', told)] : []),
        ]),
    }),
  },
];
