/**
 * The proxies that ours is measured beside, configured alike: one worker, keep-alive on both sides, X-Forwarded-For,
 * -Proto, -Host and -Port set, no access log. Each answers HTTP/1.1 on `http`, prior-knowledge HTTP/2 on `h2c`, and both
 * over TLS on `https`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { nginxHead } from './backend.mjs';
import { childOf } from './figures.mjs';
import { address, folder, freePort, pause, reachable, start, which, write } from './stage.mjs';

/** How nginx buffers. `stream`: not at all. The others are ingress-nginx: as it comes, and with proxy-buffering on. */
const nginxBuffers = {
  nginx: 'proxy_buffering off; proxy_request_buffering off;',
  'nginx-ingress': ingressBuffers('off'),
  'nginx-ingress-buffered': ingressBuffers('on'),
};

/** proxy-buffer-size, proxy-buffers-number, proxy-max-temp-file-size, proxy-request-buffering, client-body-buffer-size. */
function ingressBuffers(buffering) {
  return `proxy_buffering ${buffering}; proxy_buffer_size 4k; proxy_buffers 4 4k; proxy_max_temp_file_size 1024m;
      proxy_request_buffering on; client_body_buffer_size 8k;`;
}

const nginxConfig = (name, { http, https, h2c }, backend, { key, chain }) => `${nginxHead(name)}
  upstream app { server ${address}:${backend.port}; keepalive 256; keepalive_requests 100000000; }
  server {
    listen ${address}:${http} backlog=4096;
    listen ${address}:${h2c} http2 backlog=4096;
    listen ${address}:${https} ssl http2 backlog=4096;
    ssl_certificate ${chain}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3;
    http2_max_requests 100000000; keepalive_timeout 75s;
    location / {
      proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port $server_port; proxy_set_header X-Forwarded-Host $http_host;
      ${nginxBuffers[name]}
    }
  }
}`;

const haproxyConfig = ({ http, https, h2c }, backend, { both }) => `
global
  nbthread 1
  maxconn 8000
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  timeout http-keep-alive 75s
frontend door
  bind ${address}:${http} backlog 4096
  bind ${address}:${h2c} proto h2 backlog 4096
  bind ${address}:${https} ssl crt ${both} alpn h2,http/1.1 backlog 4096
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  default_backend app
backend app
  http-reuse always
  server one ${address}:${backend.port} pool-max-conn 256
`;

const caddyConfig = ({ http, https }, backend, { key, chain }) => {
  const site = (scheme, port, tls) => `${scheme}://:${port} {
  bind ${address}
  ${tls}
  reverse_proxy ${address}:${backend.port} {
    header_up X-Forwarded-Port ${port}
    transport http {
      keepalive 75s
      keepalive_idle_conns_per_host 256
      compression off
    }
  }
}`;
  return `{
  admin off
  auto_https off
  log {
    level ERROR
  }
  servers {
    protocols h1 h2 h2c
  }
}
${site('http', http, '')}
${site('https', https, `tls ${chain} ${key}`)}
`;
};

function startNginx(name, ports, backend, certificate) {
  const config = write(`${name}.conf`, nginxConfig(name, ports, backend, certificate));
  return start('/usr/sbin/nginx', ['-c', config, '-p', folder]);
}

function startHaproxy(ports, backend, certificate) {
  return start('/usr/sbin/haproxy', ['-db', '-f', write('haproxy.cfg', haproxyConfig(ports, backend, certificate))]);
}

function startCaddy(ports, backend, certificate) {
  const home = join(folder, 'caddy');
  mkdirSync(home, { recursive: true });
  const config = write('Caddyfile', caddyConfig(ports, backend, certificate));
  const env = { ...process.env, GOMAXPROCS: '1', HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
  return start('caddy', ['run', '--config', config, '--adapter', 'caddyfile'], { env });
}

const starters = {
  nginx: startNginx,
  'nginx-ingress': startNginx,
  'nginx-ingress-buffered': startNginx,
  haproxy: (_name, ...rest) => startHaproxy(...rest),
  caddy: (_name, ...rest) => startCaddy(...rest),
};

const commands = { haproxy: '/usr/sbin/haproxy', caddy: 'caddy' };

/** False where its package is not installed. */
export function hasPeer(name) {
  return which(commands[name] ?? '/usr/sbin/nginx') !== undefined;
}

/** nginx listens before it has a worker, and the worker is what is measured. */
async function workerOf(name, child) {
  if (!name.startsWith('nginx')) return child.pid;
  for (let tries = 0; tries < 200; tries++) {
    const pid = childOf(child.pid);
    if (pid !== undefined) return pid;
    await pause(10);
  }
  throw new Error(`${name} has no worker: ${child.output}`);
}

/** Starts one; `pid` is the process that carries the traffic. */
export async function startPeer(name, { backend, certificate }) {
  const [http, https, other] = [await freePort(), await freePort(), await freePort()];
  // Caddy tells HTTP/2 from HTTP/1.1 on one port.
  const ports = { http, https, h2c: name === 'caddy' ? http : other };
  const child = starters[name](name, ports, backend, certificate);
  for (const port of new Set(Object.values(ports))) await reachable(port, child);
  return { name, ports, child, pid: await workerOf(name, child) };
}
