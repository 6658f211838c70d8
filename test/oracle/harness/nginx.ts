/** nginx as it comes from Debian, with a configuration in a folder of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Nginx {
  readonly address: string;
  readonly port: number;
  /** What it wrote to its error log. */
  errors(): string;
  close(): Promise<void>;
}

/** What a configuration says: lines of the http block, and its servers. */
export interface NginxText {
  readonly http?: string;
  readonly servers: string;
  /** Files that it names as `%folder%/<name>`. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Why nginx cannot judge, or undefined. */
export function absence(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has all of 127.0.0.0/8 for the servers of this test';
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return `nginx cannot be run (${(error as Error).message}): install the Debian package nginx-light`;
  }
}

/** The http block that ingress-nginx writes for every cluster, as far as it concerns requests. */
function httpBlock(folder: string, { http = '', servers }: NginxText, upstreams: string): string {
  return `
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  keepalive_timeout 75s; keepalive_requests 1000000;
  client_header_buffer_size 1k; large_client_header_buffers 4 8k;
  server_names_hash_bucket_size 128; map_hash_bucket_size 128; variables_hash_bucket_size 256;
  underscores_in_headers off; ignore_invalid_headers on;
  limit_req_status 503; limit_conn_status 503;
  default_type text/html; server_tokens off; uninitialized_variable_warn off;
  server_name_in_redirect off; port_in_redirect off;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  map $http_x_request_id $req_id { default $http_x_request_id; '' $request_id; }
  ${upstreams}
  # What answers where there is no backend: the default backend of ingress-nginx.
  upstream nowhere { server unix:${folder}/nowhere.sock; keepalive 16; }
  server { listen unix:${folder}/nowhere.sock; location / { return 404; } }
  ${http}
  ${servers}`;
}

export interface NginxOptions {
  readonly address: string;
  readonly port: number;
  readonly text: NginxText;
  /** Backends by name: each becomes an upstream. */
  readonly backends: Readonly<Record<string, string>>;
  readonly backendPort: number;
}

/** Starts it; resolves when it accepts connections, and throws what it says of a configuration it does not take. */
export async function startNginx({ address, port, text, backends, backendPort }: NginxOptions): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-nginx-'));
  const upstreams = Object.entries(backends)
    .map(([name, at]) => `upstream ${name} { server ${at}:${backendPort} max_fails=0; keepalive 320; }`)
    .join('\n  ');
  const filled = (part: string) =>
    part.replaceAll('%listen%', `${address}:${port}`).replaceAll('%folder%', folder).replaceAll('%backend-port%', String(backendPort)); // biome-ignore format: one line
  const conf = `
daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log info;
events { worker_connections 4096; }
http {${filled(httpBlock(folder, text, upstreams))}
}`;
  writeFileSync(join(folder, 'nginx.conf'), conf);
  for (const [name, content] of Object.entries(text.files ?? {})) writeFileSync(join(folder, name), content);
  const errors = () => readFileSync(join(folder, 'error.log'), 'utf8');
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const close = async () => {
    process.off('exit', orphaned);
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 200; tries++) {
    if (await accepts(address, port)) return { address, port, errors, close };
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await close();
  throw new Error(`nginx does not listen: ${said}`);
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

function accepts(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
