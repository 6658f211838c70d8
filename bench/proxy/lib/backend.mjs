/** The backend of all proxies: an nginx that answers from memory. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { address, folder, freePort, reachable, start, write } from './stage.mjs';

export const smallBody = 'hello from the backend, this is a small body\n';
export const takenBody = 'taken\n';
export const MiB = 1_048_576;

/**
 * Directives that every nginx here has. `worker_connections` counts both sides. `access_log off` is what the others do
 * as well.
 */
export const nginxHead = (name) => `
daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid ${folder}/${name}.pid; error_log stderr crit;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 100000000; client_max_body_size 0; client_body_temp_path ${folder}/${name}-body;
  proxy_temp_path ${folder}/${name}-proxy; fastcgi_temp_path ${folder}/${name}-f; uwsgi_temp_path ${folder}/${name}-u;
  scgi_temp_path ${folder}/${name}-s;`;

/** Starts it; the answer has its port. */
export async function startBackend() {
  const port = await freePort();
  mkdirSync(join(folder, 'files'));
  writeFileSync(join(folder, 'files', '64k'), Buffer.alloc(65_536, 'a'));
  writeFileSync(join(folder, 'files', '1m'), Buffer.alloc(MiB, 'b'));
  const config = write('backend.conf', backendConfig(port));
  const child = start('/usr/sbin/nginx', ['-c', config, '-p', folder]);
  await reachable(port, child);
  return { port };
}

// A bare `return` answers before the body of a request has come. /sink reads it all first (proxy_pass waits for it).
const backendConfig = (port) => `${nginxHead('backend')}
  open_file_cache max=16; sendfile on; tcp_nopush on;
  server {
    listen ${address}:${port} backlog=4096;
    location / { default_type text/plain; return 200 '${smallBody.replace('\n', '\\n')}'; }
    location = /64k { root ${folder}/files; }
    location = /1m { root ${folder}/files; }
    location = /told {
      default_type text/plain;
      return 200 '$http_x_forwarded_for $http_x_forwarded_proto $http_x_forwarded_host $http_x_forwarded_port';
    }
    location = /sink {
      client_body_buffer_size 2m; proxy_pass http://unix:${folder}/sink.sock; proxy_pass_request_body off;
      proxy_set_header Content-Length '';
    }
  }
  server {
    listen unix:${folder}/sink.sock;
    location / { default_type text/plain; return 200 '${takenBody.replace('\n', '\\n')}'; }
  }
}`;
