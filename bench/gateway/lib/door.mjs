/** A front door as its users start it, and its Kubernetes API as kubectl speaks to it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Addresses and ports of its own, beside whatever else runs on the machine. */
const instance = 24;

/**
 * Resolves when it is ready. `manifests` is what standard input brings; `flags` go to `fairway up`.
 * `control` is the process with the API and the controllers; `workers` those of the data plane (empty without).
 */
export async function startDoor(manifests, flags = []) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'));
  const since = performance.now();
  const command = [`${root}bin/fairway.js`, 'up', '-', '--instance', String(instance), '--json', ...flags];
  const child = spawn(process.execPath, command, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.end(manifests.map((object) => JSON.stringify(object)).join('\n---\n'));
  const ready = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line);
      if (event.event === 'ready') resolve(event);
    });
    void ended.then((code) => reject(new Error(`fairway up ended with ${code} before it was ready`)));
  });
  const api = createApi(ready.api);
  return {
    api,
    ready,
    readyMs: performance.now() - since,
    pid: child.pid,
    async stop() {
      api.close();
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const plurals = {
  Namespace: 'namespaces',
  Service: 'services',
  Secret: 'secrets',
  Deployment: 'deployments',
  Ingress: 'ingresses',
  Gateway: 'gateways',
  GatewayClass: 'gatewayclasses',
  HTTPRoute: 'httproutes',
  GRPCRoute: 'grpcroutes',
  TLSRoute: 'tlsroutes',
  TCPRoute: 'tcproutes',
  UDPRoute: 'udproutes',
  ListenerSet: 'listenersets',
  ReferenceGrant: 'referencegrants',
  BackendTLSPolicy: 'backendtlspolicies',
};

const clusterWide = new Set(['Namespace', 'GatewayClass']);

function collectionOf({ apiVersion, kind, metadata }) {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const where = clusterWide.has(kind) ? '' : `/namespaces/${metadata.namespace ?? 'default'}`;
  return `${base}${where}/${plurals[kind]}`;
}

function createApi(url) {
  const agent = new Agent({ keepAlive: true });
  const watches = new Set();

  function call(method, path, body, type = 'application/json') {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) };
      const sent = request(`${url}${path}`, { method, agent, headers }, (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (part) => {
          answer += part;
        });
        response.on('end', () => {
          if (response.statusCode < 300) resolve(JSON.parse(answer));
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }

  const pathOf = (object) => `${collectionOf(object)}/${object.metadata.name}`;
  return {
    create: (object) => call('POST', collectionOf(object), object),
    /** A merge patch. */
    patch: (object, change) => call('PATCH', pathOf(object), change, 'application/merge-patch+json'),
    delete: (object) => call('DELETE', pathOf(object)),
    get: (object) => call('GET', pathOf(object)),
    list: (object) => call('GET', collectionOf(object)),
    /** Calls `onEvent` with each change of the objects of a kind in a namespace, from now on. */
    async watch(object, onEvent) {
      const { metadata } = await call('GET', collectionOf(object));
      const path = `${collectionOf(object)}?watch=1&resourceVersion=${metadata.resourceVersion}`;
      await new Promise((resolve, reject) => {
        const sent = request(`${url}${path}`, (response) => {
          const lines = createInterface({ input: response });
          lines.on('line', (line) => onEvent(JSON.parse(line)));
          // The end of the bench.
          lines.on('error', () => {});
          resolve();
        });
        watches.add(sent);
        sent.on('error', reject);
        sent.end();
      });
    },
    close() {
      for (const watch of watches) watch.destroy();
      agent.destroy();
    },
  };
}
