// Smoke run of `npm start`: start, ask DNS, go through an Ingress and a Gateway, stop; nothing may be left behind.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { get } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const deadline = setTimeout(() => fail('took longer than 60 s'), 60_000);

let started;

function fail(why) {
  console.error(`smoke: ${why}`);
  if (started) interrupt(started, 'SIGKILL');
  process.exit(1);
}

/** As a terminal does with Ctrl-C: the signal goes to the whole process group. */
function interrupt(child, signal) {
  process.kill(-child.pid, signal);
}

/** Starts `npm start -- --json` and resolves with its ready event. */
function start() {
  const child = spawn('npm', ['start', '--silent', '--', '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  started = child;
  const ready = new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      for (const line of text.split('\n').slice(0, -1)) {
        const event = JSON.parse(line);
        if (event.event === 'ready') resolve(event);
      }
    });
    child.on('exit', (code) => reject(new Error(`npm start ended with ${code} before it was ready`)));
  });
  return { child, ready };
}

/** One A query over UDP; resolves with the addresses of the answer. */
function resolveA(server, port, name) {
  return new Promise((resolve, reject) => {
    const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
    const query = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
    const socket = createSocket('udp4');
    socket.on('error', reject);
    socket.on('message', (reply) => {
      socket.close();
      // Addresses of A records stand behind type A, class IN, a TTL and the length 4.
      const addresses = [];
      for (let at = query.length; at + 14 <= reply.length; at++) {
        if (reply.readUInt16BE(at) === 1 && reply.readUInt16BE(at + 2) === 1 && reply.readUInt16BE(at + 8) === 4)
          addresses.push([...reply.subarray(at + 10, at + 14)].join('.'));
      }
      resolve(addresses);
    });
    socket.send(query, port, server);
  });
}

function fetchJson(address, port, path, host) {
  return new Promise((resolve, reject) => {
    get({ host: address, port, path, headers: { host }, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () =>
        response.statusCode === 200
          ? resolve(JSON.parse(body))
          : reject(new Error(`${host}${path}: ${response.statusCode} ${body}`)),
      );
    }).on('error', reject);
  });
}

function expect(what, condition) {
  if (!condition) fail(what);
  console.log(`smoke: ${what}: ok`);
}

function refuses(address, port) {
  return new Promise((resolve) => {
    const socket = connect(port, address, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

const { child, ready } = start();
const event = await ready.catch((error) => fail(error.message));
console.log(`smoke: ready after ${event.elapsedMs} ms`);
const dns = event.dns.at(-1);
const service = event.services.find(({ name }) => name === 'api-v1');
expect(
  'DNS answers with the ClusterIP',
  (await resolveA(dns.address, dns.port, 'api-v1.default.svc.cluster.local')).includes(service.clusterIP),
);
const viaIngress = await fetchJson(event.ingress.addresses[0], event.ingress.http, '/v2/users', 'api.example.com');
expect('an Ingress leads to its Pod', viaIngress.pod.startsWith('api-v2-') && viaIngress.path === '/v2/users');
const gateway = event.gateways.find(({ name }) => name === 'external-gateway');
const http = gateway.listeners.find(({ name }) => name === 'http');
const legacy = await fetchJson(gateway.addresses[0], http.port, '/legacy/users', 'api.example.com');
const canary = await fetchJson(gateway.addresses[0], http.port, '/', 'canary.example.com');
expect('a Gateway leads to its Pods', canary.pod.startsWith('api-v'));
expect('a Gateway rewrites paths', legacy.path === '/v1/users' && legacy.headers['X-Legacy-Path']?.[0] === 'true');
interrupt(child, 'SIGINT');
await new Promise((resolve) => child.on('exit', resolve));
expect(
  'nothing is left listening',
  (await refuses(event.ingress.addresses[0], event.ingress.http)) &&
    (await refuses('127.0.0.1', Number(new URL(event.api).port))),
);
clearTimeout(deadline);
