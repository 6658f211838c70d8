/** nginx and HAProxy as they come from Debian, as plain reverse proxies to one backend each. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Target } from './run.ts';

export interface Judge extends Target {
  readonly name: JudgeName;
  close(): Promise<void>;
}

export type JudgeName = 'nginx' | 'haproxy';

/** Why a judge cannot sit, or undefined. */
export function absence(name: JudgeName): string | undefined {
  try {
    execFileSync(name, ['-v'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return `${name} cannot be run (${(error as Error).message}): install the Debian package ${packages[name]}`;
  }
}

const packages: Record<JudgeName, string> = { nginx: 'nginx-light', haproxy: 'haproxy' };

const nginxConf = (folder: string, { address, port }: Target, backend: Target, more: string) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream app { server ${backend.address}:${backend.port} max_fails=0; keepalive 64; }
  server {
    listen ${address}:${port};
    ${more}
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_read_timeout 2s;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr:$remote_port;
    }
  }
}
`;

const haproxyConf = ({ address, port }: Target, backend: Target, more: string) => `
global
  maxconn 2000
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 2s
frontend front
  bind ${address}:${port}
  http-request set-header X-Forwarded-For %[src]:%[src_port]
  default_backend app
backend app
  server app ${backend.address}:${backend.port} ${more}
`;

const commands: Record<JudgeName, (folder: string, at: Target, backend: Target, more: string) => readonly string[]> = {
  nginx(folder, at, backend, more) {
    writeFileSync(join(folder, 'nginx.conf'), nginxConf(folder, at, backend, more));
    return ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')];
  },
  haproxy(folder, at, backend, more) {
    writeFileSync(join(folder, 'haproxy.cfg'), haproxyConf(at, backend, more));
    return ['-db', '-q', '-f', join(folder, 'haproxy.cfg')];
  },
};

/** Starts one in front of a backend; resolves when it accepts connections. `more` is for HAProxy's server line or nginx's server block. */
export async function startJudge(name: JudgeName, at: Target, backend: Target, more = ''): Promise<Judge> {
  const folder = mkdtempSync(join(tmpdir(), `judge-${name}-`));
  mkdirSync(join(folder, 'body'));
  const child = spawn(name, commands[name](folder, at, backend, more), { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const close = async () => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 100; tries++) {
    if (await accepts(at)) return { ...at, name, close };
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  await close();
  throw new Error(`${name} does not listen: ${said}`);
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

function accepts({ address, port }: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
