/** Our data plane as a process of its own, on one runtime or several. */
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { address, folder, freePort, reachable, read, start, write } from './stage.mjs';

const script = join(folder, 'subject.mjs');

/** Puts the subject into one file, so that every runtime runs the same. To be called before the first start. */
export function bundleOurs() {
  return build({
    entryPoints: [resolve(import.meta.dirname, '../subject.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: { js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);" },
    logLevel: 'silent',
  });
}

/**
 * Starts one. `runtime` has a name and a path. `more` goes to the subject: `routes: {hosts, perHost}`, `telemetry`,
 * `flags` for the runtime.
 */
export async function startOurs(runtime, { backend, certificate }, more = {}) {
  // Bun has no setTicketKeys (node:tls), without which no HTTPS listener opens.
  const [http, https] = [await freePort(), runtime.kind === 'bun' ? undefined : await freePort()];
  const { flags = [], ...plan } = more;
  const tls = { chain: read(certificate.chain), key: read(certificate.key) };
  const task = write(`subject-${http}.json`, JSON.stringify({ address, http, https, tls, backend, ...plan }));
  const child = start(runtime.path, [...flags, script, task], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const ready = new Promise((settle) => child.once('message', settle));
  const late = new Promise((_settle, fail) => {
    setTimeout(() => fail(new Error(`the subject is not ready on ${runtime.name}: ${child.output}`)), 60_000).unref();
  });
  await Promise.race([
    ready,
    late,
    child.done.then(() => Promise.reject(new Error(`the subject ended: ${child.output}`))),
  ]);
  await reachable(http, child);
  return { name: runtime.name, runtime, ours: true, ports: { http, https, h2c: http }, child, pid: child.pid };
}

/** Bytes that the process holds after a full collection: of the heap, outside of it, and resident. */
export function memoryOf(subject) {
  return new Promise((settle) => {
    subject.child.once('message', settle);
    subject.child.send('memory');
  });
}
