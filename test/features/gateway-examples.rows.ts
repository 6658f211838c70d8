/** What the rows of the table of examples are made of. */
import { gateway, type Manifest } from '../support/manifests.ts';

/** What an HTTP client gets, and what the backend saw; only what is named is looked at. */
export interface HttpOutcome {
  readonly status: number;
  /** Service whose Pod answered. */
  readonly to?: string;
  readonly path?: string;
  readonly host?: string;
  readonly location?: string;
  /** Headers that the backend saw. */
  readonly seen?: Readonly<Record<string, readonly string[] | undefined>>;
  /** Headers of the response. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export type Traffic =
  | {
      readonly is: 'http';
      readonly url: string;
      readonly method?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly gets: HttpOutcome;
    }
  | {
      readonly is: 'grpc';
      readonly host: string;
      readonly port: number;
      readonly path: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly gets: { readonly to?: string; readonly status: number };
    }
  | { readonly is: 'tcp' | 'udp'; readonly port: number; readonly gets: 'some bytes' }
  /** Connections to the port are refused, or closed without a byte. */
  | { readonly is: 'closed'; readonly port: number; readonly gets: '' }
  /** HTTPS with a client's certificate that the CA has signed, or none. */
  | {
      readonly is: 'client';
      readonly url: string;
      readonly shows: boolean;
      readonly gets: { readonly status: number } | 'refused';
    }
  /** How many of so many requests fall to each Service. */
  | {
      readonly is: 'split';
      readonly url: string;
      readonly times: number;
      readonly gets: Readonly<Record<string, number>>;
    }
  /** A Pod of the Service has logged a request for the path. */
  | { readonly is: 'logged'; readonly service: string; readonly path: string; readonly gets: true };

export interface Row {
  /** Below test/inputs/gateway-api-examples, brought up together. */
  readonly files: readonly string[];
  /** Stand-ins for the parts that the text takes for granted. */
  readonly also?: readonly Manifest[];
  /** `at`: the Gateway that is asked. */
  readonly serves?: readonly (Traffic & { readonly at: string })[];
  /** Every finding about the objects of the row: code, object, field and what is wrong. */
  readonly lacks?: readonly string[];
  /** What its route serves once its parentRefs name the Gateway `attached`: some files are of a route alone. */
  readonly attached?: {
    readonly kind: string;
    readonly route: string;
    readonly serves: readonly (Traffic & { readonly at: string })[];
  };
}

export const named = (name: string, namespace: string, listeners?: readonly Manifest[]): Manifest => {
  const made = gateway(name, listeners);
  return { ...made, metadata: { name, namespace } };
};

/** `GET url`, with a header as `name: value`. */
export const get = (at: string, url: string, gets: HttpOutcome, headers: Record<string, string> = {}, method = 'GET') =>
  ({ at, is: 'http', url, method, headers, gets }) as const;
export const ok = (to: string, path: string, more: Partial<HttpOutcome> = {}): HttpOutcome => ({
  status: 200,
  to,
  path,
  ...more,
});
export const call = (
  at: string,
  host: string,
  path: string,
  gets: { to?: string; status: number },
  headers: Record<string, string> = {},
) => ({ at, is: 'grpc', host, port: 50051, path, headers, gets }) as const;

export const split = (url: string, gets: Record<string, number>) =>
  ({ at: 'attached', is: 'split', url, times: 20, gets }) as const;

export const standard = (...files: string[]) => files.map((file) => `standard/${file}`);
export const experimental = (...files: string[]) => files.map((file) => `experimental/${file}`);
const noParent = (kind: string, name: string) => `FW3207 ${kind}/${name} spec: the route names no Gateway`;

const origin = (from: string) => ({ origin: from });
export const cors = (
  file: string,
  path: string,
  serves: readonly [origin: string, allowed: string | undefined, credentials?: string][],
): Row => ({
  files: standard(`http-cors/${file}.yaml`),
  also: [gateway('same-namespace')],
  serves: serves.map(([from, allowed, credentials]) =>
    get(
      'same-namespace',
      `http://any.example${path}`,
      {
        status: 200,
        headers: { 'access-control-allow-origin': allowed, 'access-control-allow-credentials': credentials },
      },
      origin(from),
    ),
  ),
});

export const redirectGateway = 'http-redirect-rewrite/gateway-redirect-http-https.yaml';
/** A route that names no Gateway: that is told, and once it does name one, it is served. */
export const orphan = (file: string, kind: string, route: string, ...serves: (Traffic & { at: string })[]): Row => ({
  files: standard(file),
  also: [
    gateway('attached', [
      { name: 'http', port: 80, protocol: 'HTTP' },
      { name: 'grpc', port: 50051, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'example-com-cert' }] } },
    ]),
  ],
  lacks: [noParent(kind, route)],
  attached: { kind, route, serves },
});
export const redirected = (file: string, location: string) =>
  orphan(
    `http-redirect-rewrite/${file}.yaml`,
    'HTTPRoute',
    'http-filter-redirect',
    get('attached', 'http://redirect.example/cayenne/a', { status: 302, location }),
  );
export const rewritten = (file: string, path: string) =>
  orphan(
    `http-redirect-rewrite/${file}.yaml`,
    'HTTPRoute',
    'http-filter-rewrite',
    get('attached', 'http://rewrite.example/cardamom/a', ok('example-svc', path, { host: 'elsewhere.example' })),
  );
