/**
 * An API server with a large cluster, in a process of its own: paged lists, watches, 410 when it is told so. It also
 * changes endpoints and asks the DNS server itself for the new answer, so that both times come from one clock.
 *
 * Started by memory.mjs with `fork`; messages: `{ do: 'expire', fresh }`, `{ do: 'change', count, perSecond, dns }`,
 * `{ do: 'ask', dns }`, each answered by one message with what came of it.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import packet from 'dns-packet';
import { addressOf, endpointCounts, nameOf, serviceOf, slicesOf } from './memory-objects.mjs';

const { services, addresses, host, port = 0 } = JSON.parse(process.argv[2]);
let version = 1000;
/** Watches from older versions are refused. */
let oldest = 0;

const counts = endpointCounts(services, addresses);
const places = new Map([
  ['/api/v1/namespaces', { kind: 'NamespaceList', item: { apiVersion: 'v1', kind: 'Namespace' }, objects: [] }],
  ['/api/v1/services', { kind: 'ServiceList', item: { apiVersion: 'v1', kind: 'Service' }, objects: [] }],
  [
    '/apis/discovery.k8s.io/v1/endpointslices',
    { kind: 'EndpointSliceList', item: { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }, objects: [] },
  ],
]);
for (const place of places.values()) place.watches = new Set();
const [namespaceList, serviceList, sliceList] = [...places.values()].map(({ objects }) => objects);
/** Index into the slices of each Service's first one. */
const firstSlice = [];
const textOf = (object) => JSON.stringify(object);
/** Objects are kept as bytes, outside the heap: a collection of 73 MB of strings here would count as latency there. */
const bytesOf = (object) => Buffer.from(textOf(object));

for (let i = 0; i < 100; i++)
  namespaceList.push(bytesOf({ metadata: { name: `team-${i}`, resourceVersion: `${version}` }, spec: {}, status: {} }));
for (let i = 0, first = 1; i < services; first += counts[i++]) {
  serviceList.push(bytesOf(serviceOf(i, `${version}`)));
  firstSlice.push(sliceList.length);
  sliceList.push(...slicesOf(i, first, counts[i], `${version}`).map(bytesOf));
}

function list(place, query) {
  const limit = Number(query.get('limit') ?? place.objects.length);
  const start = Number(query.get('continue') ?? 0);
  const end = Math.min(start + limit, place.objects.length);
  const more = end < place.objects.length ? { continue: `${end}`, remainingItemCount: place.objects.length - end } : {};
  const metadata = textOf({ resourceVersion: `${version}`, ...more });
  const head = `{"kind":"${place.kind}","apiVersion":"${place.item.apiVersion}","metadata":${metadata},"items":[`;
  const comma = Buffer.from(',');
  const items = place.objects.slice(start, end).flatMap((bytes, i) => (i === 0 ? [bytes] : [comma, bytes]));
  return Buffer.concat([Buffer.from(head), ...items, Buffer.from(']}\n')]);
}

const resources = (...names) => textOf({ kind: 'APIResourceList', resources: names.map((name) => ({ name })) });
const discovery = new Map([
  ['/api/v1', resources('namespaces', 'services', 'pods')],
  ['/apis/discovery.k8s.io/v1', resources('endpointslices')],
]);
const expired = textOf({ kind: 'Status', status: 'Failure', reason: 'Expired', code: 410, message: 'too old' });

const server = createServer((request, response) => {
  const { pathname, searchParams: query } = new URL(request.url, 'http://api');
  const place = places.get(pathname);
  const send = (code, text) => response.writeHead(code, { 'content-type': 'application/json' }).end(text);
  if (discovery.has(pathname)) send(200, discovery.get(pathname));
  else if (!place) send(404, textOf({ kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 }));
  else if (query.get('watch') !== 'true') send(200, list(place, query));
  else if (Number(query.get('resourceVersion')) < oldest) send(410, expired);
  else {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    response.socket.setNoDelay(true);
    place.watches.add(response);
    response.on('close', () => place.watches.delete(response));
  }
});

function tell(place, type, bytes) {
  const { apiVersion, kind } = place.item;
  const head = Buffer.from(`{"type":"${type}","object":{"kind":"${kind}","apiVersion":"${apiVersion}",`);
  const line = Buffer.concat([head, bytes.subarray(1), Buffer.from('}\n')]);
  for (const watch of place.watches) watch.write(line);
}

/**
 * All watches end, and none can go on from where it was. `fresh`: every object has a new version too. Resolves with the
 * milliseconds until everything is watched again, which follows a whole list, and the longest that an answer took
 * meanwhile.
 */
async function expire({ fresh, dns }) {
  version += 1000;
  oldest = version;
  for (const place of places.values()) {
    if (fresh)
      place.objects = place.objects.map((bytes) => {
        const text = bytes.toString().replace(/"resourceVersion":"\d+"/, `"resourceVersion":"${version}"`);
        return Buffer.from(text);
      });
    for (const watch of place.watches) watch.end();
    place.watches.clear();
  }
  const asker = createAsker(dns);
  const started = performance.now();
  let longest = 0;
  while ([...places.values()].some(({ watches }) => watches.size === 0)) {
    if (performance.now() - started > 60_000) throw new Error('nobody watches again after a minute');
    const asked = performance.now();
    const answer = await asker.ask('service-0.team-0.svc.cluster.local');
    longest = Math.max(longest, performance.now() - asked);
    if ((answer[3] & 15) !== 0) throw new Error('a name was lost in a relist');
    await pause(2);
  }
  asker.close();
  return { took: performance.now() - started, longest };
}

const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

/** Asks one question at a time; a lost one is asked again after 50 ms. */
function createAsker(dns) {
  const socket = createSocket('udp4');
  let id = 0;
  let settle = () => {};
  socket.on('message', (message) => settle(message));
  return {
    ask(name) {
      id = (id + 1) & 0xffff;
      const asked = id;
      const query = packet.encode({ type: 'query', id: asked, flags: 0, questions: [{ type: 'A', name }] });
      return new Promise((resolve) => {
        const send = () => socket.send(query, dns.port, dns.address);
        const again = setInterval(send, 50);
        settle = (message) => {
          if (message.readUInt16BE(0) !== asked) return;
          clearInterval(again);
          resolve(message);
        };
        send();
      });
    },
    close: () => socket.close(),
  };
}

/** Gives one endpoint of a Service another address; resolves with the ms until the DNS server says so. */
async function changeOne(asker, round) {
  const place = places.get('/apis/discovery.k8s.io/v1/endpointslices');
  // Headless ones with ten endpoints: their answers fit into one packet.
  let service = (round * 2 + 1) % services;
  while (counts[service] !== 10) service = (service + 2) % services;
  const index = firstSlice[service];
  const slice = JSON.parse(place.objects[index]);
  const address = addressOf(0x300000 + round);
  slice.endpoints[round % 10].addresses = [address];
  slice.metadata.resourceVersion = `${++version}`;
  place.objects[index] = bytesOf(slice);
  const wanted = Buffer.from(address.split('.').map(Number));
  const { namespace, name } = nameOf(service);
  const started = performance.now();
  tell(place, 'MODIFIED', place.objects[index]);
  while (!(await asker.ask(`${name}.${namespace}.svc.cluster.local`)).includes(wanted)) {
    if (performance.now() - started > 5000) throw new Error(`${name} does not show ${address} after 5 s`);
  }
  return performance.now() - started;
}

let rounds = 0;

async function change({ count, perSecond, dns }) {
  const asker = createAsker(dns);
  const latencies = [];
  /** One question and its answer, of names that do not change: what the machine itself adds. */
  const plain = [];
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    latencies.push(await changeOne(asker, rounds++));
    const asked = performance.now();
    await asker.ask('service-0.team-0.svc.cluster.local');
    plain.push(performance.now() - asked);
    const early = started + ((i + 1) * 1000) / perSecond - performance.now();
    if (early > 0) await pause(early);
  }
  const seconds = (performance.now() - started) / 1000;
  asker.close();
  return { latencies, plain, seconds };
}

/** Every name once: what the server keeps of answers is then there. */
async function ask({ dns }) {
  const asker = createAsker(dns);
  let answered = 0;
  for (let i = 0; i < services; i++) {
    const { namespace, name } = nameOf(i);
    const answer = await asker.ask(`${name}.${namespace}.svc.cluster.local`);
    if ((answer[3] & 15) === 0) answered++;
  }
  asker.close();
  return { answered };
}

const commands = { expire, change, ask };
process.on('message', async (message) => {
  try {
    process.send({ ok: (await commands[message.do](message)) ?? {} });
  } catch (error) {
    process.send({ error: String(error) });
  }
});
process.on('disconnect', () => process.exit());
server.listen(port, host, () => {
  const bytes = [...places.values()].map(({ objects }) => objects.reduce((sum, { length }) => sum + length, 0));
  process.send({
    ready: { port: server.address().port, slices: sliceList.length, megabytes: bytes.reduce((a, b) => a + b) / 1e6 },
  });
});
