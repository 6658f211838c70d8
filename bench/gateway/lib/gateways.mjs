/** `fairway gateway` processes, and a way to their API that can be cut. */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { sleep } from './poller.mjs';

const command = fileURLToPath(new URL('../../../bin/fairway.js', import.meta.url));

/** A TCP proxy to the API; while it is shut, connections break and new ones are refused. */
export async function openWay(apiUrl) {
  const { hostname, port } = new URL(apiUrl);
  const open = new Set();
  let shut = false;
  const server = createServer((client) => {
    if (shut) return client.destroy();
    const upstream = connect({ host: hostname, port: Number(port) });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      open.add(one);
      one.pipe(other);
      // The other end is told by being closed.
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    set shut(now) {
      shut = now;
      if (now) for (const socket of open) socket.destroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Resolves when /ready answers 200. `leads` says whether the process has said that it leads. */
export async function startGateway(apiUrl, listen, flags = []) {
  const words = ['gateway', '--server', apiUrl, '--listen', listen, '--health', `${listen}:8082`, ...flags];
  const child = spawn(process.execPath, [command, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const isReady = () =>
    fetch(`http://${listen}:8082/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
  for (let i = 0; !(await isReady()); i++) {
    if (i > 600) throw new Error(`fairway gateway was not ready after a minute: ${said}`);
    await sleep(100);
  }
  return {
    leads: () => said.lastIndexOf('this replica leads: it writes') > said.lastIndexOf('this replica leads no more'),
    pid: child.pid,
    isReady,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}
