/** Lines that ingress-nginx writes into every location, and short forms for manifests. */

/**
 * Headers to the backend. `$server_port` is written as the port that users see: where tests listen needs no privilege.
 */
const headerLines = `
      proxy_set_header X-Request-ID $req_id;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port 80;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Scheme $scheme;
      proxy_set_header X-Scheme $scheme;
      proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for;
      proxy_set_header X-Original-Forwarded-Host $http_x_forwarded_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Proxy '';`;

const proxyLines = `
      proxy_connect_timeout 5s; proxy_send_timeout 60s; proxy_read_timeout 60s;
      proxy_buffering off; proxy_buffer_size 4k; proxy_buffers 4 4k; proxy_max_temp_file_size 1024m;
      proxy_request_buffering on; proxy_http_version 1.1; client_max_body_size 1m;
      proxy_next_upstream error timeout; proxy_next_upstream_timeout 0; proxy_next_upstream_tries 3;`;

export interface PassOptions {
  /** `upstream-vhost`. */
  readonly host?: string;
  /** Lines before proxy_pass, such as `rewrite …`. */
  readonly before?: string;
  readonly cookieDomain?: string;
  readonly cookiePath?: string;
  readonly redirect?: string;
}

/** What stands in a location that leads to a backend. */
export function pass(backend: string, options: PassOptions = {}): string {
  const { host = '$http_host', before = '', cookieDomain = 'off', cookiePath = 'off', redirect = 'off' } = options;
  return `
      proxy_set_header Host ${host};${headerLines}${proxyLines}
      proxy_cookie_domain ${cookieDomain}; proxy_cookie_path ${cookiePath};
      ${before}
      proxy_pass http://${backend};
      proxy_redirect ${redirect};`;
}

/** A location with only what leads to a backend. */
export function location(pattern: string, backend: string, options: PassOptions = {}): string {
  return `
    location ${pattern} {${pass(backend, options)}
    }`;
}

/** A server; `_` is the default one, as the server for no host is, and tells balancers that all is well. */
export function server(names: string, body: string): string {
  const isDefault = names.split(' ')[0] === '_';
  return `
  server {
    server_name ${names};
    listen %listen%${isDefault ? ' default_server' : ''};
    ${body}
    ${isDefault ? 'location /healthz { return 200; }' : ''}
  }`;
}

/** A Prefix path outside of regex mode: what is below it, and itself. */
export function prefix(path: string, backend: string, options: PassOptions = {}): string {
  return location(`"${path.endsWith('/') ? path : `${path}/`}"`, backend, options) + location(`= "${path}"`, backend, options); // biome-ignore format: one line
}

/**
 * What a server has for paths that no rule takes: the default backend, with the annotations of the first Ingress that
 * names the host (`before`).
 */
export function rest(options: PassOptions = {}): string {
  return location('/', 'nowhere', options);
}

/** What answers for hosts that no Ingress names. */
export const nobody = server('_', rest());

export type PathRow = readonly [pathType: 'Exact' | 'Prefix' | 'ImplementationSpecific', path: string, service: string];

export interface IngressText {
  readonly name: string;
  /** With their prefix left out. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of each host; '' is no host. */
  readonly rules?: Readonly<Record<string, readonly PathRow[]>>;
  /** Service for what no rule takes. */
  readonly otherwise?: string;
  /** RFC 3339: who is older wins. */
  readonly created?: string;
}

const backendOf = (name: string) => ({ service: { name, port: { number: 80 } } });

/** An Ingress of class nginx in YAML. */
export function ingress({ name, annotations = {}, rules = {}, otherwise, created }: IngressText): string {
  const object = {
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
    metadata: {
      name,
      ...(created && { creationTimestamp: created }),
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
      ),
    },
    spec: {
      ingressClassName: 'nginx',
      ...(otherwise && { defaultBackend: backendOf(otherwise) }),
      rules: Object.entries(rules).map(([host, rows]) => ({
        ...(host && { host }),
        http: { paths: rows.map(([pathType, path, service]) => ({ pathType, path, backend: backendOf(service) })) },
      })),
    },
  };
  // JSON is YAML.
  return `---\n${JSON.stringify(object, null, 2)}\n`;
}

/** A Secret of readable values in YAML. */
export function secret(name: string, stringData: Readonly<Record<string, string>>): string {
  const data = Object.fromEntries(
    Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  return `---\n${JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque', data })}\n`;
}
