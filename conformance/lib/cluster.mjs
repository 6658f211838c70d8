/** The cluster that is judged: `fairway up`, as anybody starts it, on addresses of its own. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Load balancers' range of an instance, see docs/local-cluster.md. */
export const balancerPrefix = (instance) => (instance === 0 ? '127.250' : `127.${102 + 4 * instance}`);

/**
 * Resolves when it is ready, with the URL of its API and a way to end it. `folder` is where it runs and leaves its
 * kubeconfig; `flags` go to `fairway up` as they are.
 */
export async function startCluster({ instance, folder, flags = [] }) {
  const child = spawn(
    process.execPath,
    [`${root}bin/fairway.js`, 'up', `${root}conformance/manifests`, '--instance', String(instance), '--json', ...flags],
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const ready = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line);
      if (event.event === 'ready') resolve(event);
    });
    void ended.then((code) => reject(new Error(`fairway up ended with ${code} before it was ready`)));
  });
  const { api } = await ready;
  return {
    api,
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      return await ended;
    },
  };
}
