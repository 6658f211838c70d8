/** Web servers as backends that go by PROXY headers, for tests. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasOpenssl, selfSigned } from './certificates.ts';
import { dial } from './sockets.ts';

/** What each of their ports speaks, from the first on. */
export const protocols = ['http1', 'https', 'h2c', 'h2'] as const;

/** Servers that refuse what does not begin with a PROXY header, and answer with the client that it names; one port for each of `protocols`. */
export const judges = {
  nginx: (folder: string, place: string, first: number) => ({
    file: `daemon off;\nmaster_process off;\npid ${folder}/pid;\nevents {}\nhttp {
      access_log off;
      ssl_certificate ${folder}/pem;
      ssl_certificate_key ${folder}/pem;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${folder}/${one};`).join('\n')}
      ${['', 'ssl', 'http2', 'ssl http2']
        .map(
          (how, i) => `server {
        listen ${place}:${first + i} ${how} proxy_protocol;
        location / { return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port\\n"; }
        location /connection { return 200 "$connection\\n"; }
      }`,
        )
        .join('\n')}
    }`,
    args: ['-p', folder, '-c', join(folder, 'conf'), '-e', join(folder, 'error.log')],
  }),
  haproxy: (folder: string, place: string, first: number) => ({
    file: `defaults\n  mode http\n  timeout client 5s\n  timeout connect 1s\n  timeout server 5s\nfrontend f
      ${['', `ssl crt ${folder}/pem`, 'proto h2', `ssl crt ${folder}/pem alpn h2`]
        .map((how, i) => `bind ${place}:${first + i} accept-proxy ${how}`)
        .join('\n')}
      http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]\\n"\n`,
    args: ['-db', '-q', '-f', join(folder, 'conf')],
  }),
} as const;

/** Why a judge cannot be asked; undefined when it can. */
export function absence(name: JudgeName): string | undefined {
  if (!hasOpenssl()) return 'skipped: the openssl command is missing';
  try {
    execFileSync(name, ['-v'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return `skipped: ${name} cannot be run (${(error as Error).message})`;
  }
}

export type JudgeName = keyof typeof judges;

export interface Judge {
  stop(): Promise<void>;
}

/** Starts a judge at four ports of `place`, and waits until it listens. */
export async function startJudge(name: JudgeName, place: string, first: number): Promise<Judge> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-judge-'));
  const { file, args } = judges[name](folder, place, first);
  const { chain, key } = selfSigned('app', 'app.test');
  writeFileSync(join(folder, 'pem'), chain + key);
  writeFileSync(join(folder, 'conf'), file);
  const child = spawn(name, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  };
  for (let i = 0; i < 200; i++) {
    const there = await dial(place, first + protocols.length - 1).catch(() => undefined);
    there?.socket.destroy();
    if (there) return { stop };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await stop();
  throw new Error(`${name} does not listen`);
}
