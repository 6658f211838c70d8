/** 2,500 ListenerSets, each with an HTTPS listener and a route of its own. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { startDoor } from '../lib/door.mjs';
import { gateway, gatewayApi, gatewayClass, httpListener, namespace, route, workload } from '../lib/objects.mjs';

function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'));
  try {
    const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'crt')];
    const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    execFileSync('openssl', [...kind, '-subj', '/CN=bench', '-addext', 'subjectAltName=DNS:*.example.com', ...files], {
      stdio: 'ignore',
    });
    const read = (name) => readFileSync(join(folder, name)).toString('base64');
    return { 'tls.crt': read('crt'), 'tls.key': read('key') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function objectsOf(namespaces, each) {
  const data = certificate();
  const objects = [];
  for (let n = 0; n < namespaces; n++) {
    const where = `mesh-${n}`;
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'ns-cert', namespace: where },
      data,
    };
    objects.push(namespace(where), secret, ...workload('backend', where));
    for (let i = 0; i < each; i++) objects.push(...setWithRoute(where, i));
  }
  return objects;
}

const hostOf = (where, i) => `app-${i}-${where}.example.com`;

function setWithRoute(where, i) {
  const listener = {
    name: `app-${i}`,
    hostname: hostOf(where, i),
    protocol: 'HTTPS',
    port: 443,
    tls: { mode: 'Terminate', certificateRefs: [{ name: 'ns-cert' }] },
  };
  const set = {
    apiVersion: gatewayApi,
    kind: 'ListenerSet',
    metadata: { name: `app-${i}`, namespace: where },
    spec: { parentRef: { name: 'bench', namespace: 'default' }, listeners: [listener] },
  };
  const { spec, ...rest } = route(`app-${i}`, { rules: [{ backendRefs: [{ name: 'backend', port: 80 }] }] }, where);
  const parentRefs = [{ group: 'gateway.networking.k8s.io', kind: 'ListenerSet', name: `app-${i}` }];
  return [set, { ...rest, spec: { ...spec, parentRefs, hostnames: [hostOf(where, i)] } }];
}

function statusOverTls(address, host) {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 443, servername: host, rejectUnauthorized: false }, () =>
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    socket.once('data', (chunk) => {
      resolve(Number(chunk.toString('latin1').slice(9, 12)));
      socket.destroy();
    });
    socket.on('error', ({ code }) => resolve(code));
  });
}

export async function listenerSets({ short, flags, row }) {
  const [namespaces, each] = short ? [10, 25] : [50, 50];
  const total = namespaces * each;
  const allowed = { allowedListeners: { namespaces: { from: 'All' } } };
  const door = await startDoor([gatewayClass, gateway([httpListener], allowed), ...objectsOf(namespaces, each)], flags);
  try {
    const [address] = door.ready.gateways[0].addresses;
    let ok = 0;
    for (let n = 0; n < total; n++) {
      if ((await statusOverTls(address, hostOf(`mesh-${Math.floor(n / each)}`, n % each))) === 200) ok++;
    }
    row(
      `listenerSets: ${total}, one listener and route each: spawn to ready`,
      `${(door.readyMs / 1_000).toFixed(1)} s`,
      '<= 20 s',
      door.readyMs <= 20_000,
    );
    row('listenerSets: answered 200 over TLS once ready', String(ok), String(total), ok === total);
  } finally {
    await door.stop();
  }
}
