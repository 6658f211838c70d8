/** nginx as the judge of what is to be as in nginx. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function hasNginx(): boolean {
  const able = spawnSync('nginx', ['-v']).status === 0;
  if (!able) console.log('skipped: the nginx command is missing');
  return able;
}

/** Runs until closed; `servers` are `server` blocks, one of which listens on `address:port`. */
export async function startNginx(servers: string, address: string, port: number): Promise<{ close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-nginx-'));
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (one) => `${one}_temp_path ${folder}/${one};`,
  );
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit; events {}
     http { access_log off; server_tokens off; keepalive_requests 100000; ${places.join(' ')} ${servers} }`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const gone = new Promise<void>((resolve) => child.on('close', () => resolve()));
  for (let i = 0; !(await accepts(address, port)); i++) {
    if (i > 200 || child.exitCode !== null) throw new Error(`nginx does not listen: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    async close() {
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function accepts(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
