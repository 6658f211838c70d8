/** What run.mjs serves and asks: the same names for every server, and the configuration of each. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const services = 10_000;
const externals = 1_000;
export const port = 5300;
export const address = {
  dnsmasq: '127.79.53.1',
  knot: '127.79.53.2',
  upstream: '127.79.53.3',
  fairway: '127.79.53.4',
  small: '127.79.53.5',
  workers: '127.79.53.6',
  autopath: '127.79.53.7',
  searching: '127.79.53.8',
};

export const name = (i) => `app-${i % services}.ns-${i % 50}.svc.cluster.local`;
export const external = (i) => `www-${i % externals}.example.test`;
const clusterIp = (i) => `10.96.${Math.floor(i / 250)}.${(i % 250) + 1}`;

/** kubeadm's own, with the addresses and ports of this run. */
const corefile = (at, more = {}) => `.:${port} {
    bind ${at}
    errors
    health ${at}:8080 {
       lameduck 5s
    }
    ready ${at}:8181
    ${more.first ?? ''}
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods ${more.pods ?? 'insecure'}
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus ${at}:9153
    forward . ${address.upstream}:${port} {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`;

const service = (i) => `apiVersion: v1
kind: Service
metadata: {name: app-${i}, namespace: ns-${i % 50}}
spec:
  clusterIP: ${clusterIp(i)}
  ports: [{name: http, port: 80}]
---
`;

/** A Pod that asks, and a name by which its address is found. */
const clientManifest = `apiVersion: v1
kind: Pod
metadata: {name: client, namespace: team, labels: {app: client}}
spec:
  containers: [{name: main, image: example.com/client:1, ports: [{containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: client, namespace: team}
spec:
  clusterIP: None
  selector: {app: client}
  ports: [{name: http, port: 8080}]
---
${service(0)}`;

const zoneHead = (zone) =>
  `$ORIGIN ${zone}.\n$TTL 30\n@ SOA ns.dns hostmaster 1 7200 1800 86400 30\n@ NS ns.dns\nns.dns A 10.96.0.10\n`;

const knotConf = (folder, at, zone) => `server:
    listen: ${at}@${port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    rundir: ${folder}/knot-${at}
    user: root:root
database:
    storage: ${folder}/knot-${at}
zone:
  - domain: ${zone}
    file: ${folder}/${zone}.zone
`;

/** Queries of which each is asked about as often as every other. */
const queries = (count, nameOf) => {
  const order = Array.from({ length: count }, (_, i) => (i * 7919) % count);
  return `${order.map((i) => `${nameOf(i)} A`).join('\n')}\n`;
};

/** Writes all of it into a folder. */
export function writeInputs(folder) {
  const write = (file, text) => writeFileSync(join(folder, file), text);
  chmodSync(folder, 0o755);
  const numbers = Array.from({ length: services }, (_, i) => i);
  write('services.yaml', numbers.map(service).join(''));
  write('one.yaml', service(0));
  write('hosts', numbers.map((i) => `${clusterIp(i)} ${name(i)}\n`).join(''));
  const inZone = (i) => name(i).slice(0, -'.cluster.local'.length);
  write(
    'cluster.local.zone',
    zoneHead('cluster.local') + numbers.map((i) => `${inZone(i)} A ${clusterIp(i)}\n`).join(''),
  );
  const outside = Array.from({ length: externals }, (_, i) => `www-${i} 3600 A 192.0.2.${(i % 250) + 1}\n`);
  write('example.test.zone', zoneHead('example.test') + outside.join(''));
  for (const at of [address.knot, address.upstream]) mkdirSync(join(folder, `knot-${at}`));
  write('knot.conf', knotConf(folder, address.knot, 'cluster.local'));
  write('upstream.conf', knotConf(folder, address.upstream, 'example.test'));
  write('Corefile', corefile(address.fairway));
  write('Corefile.small', corefile(address.small));
  write('Corefile.workers', corefile(address.workers));
  write('internal', queries(services, name));
  write(
    'missing',
    queries(services, (i) => `www-${i % externals}.example.test.ns-${i % 50}.svc.cluster.local`),
  );
  write('pod.yaml', clientManifest);
  for (const autopath of [false, true])
    write(
      `Corefile.autopath-${autopath}`,
      corefile(address[autopath ? 'autopath' : 'searching'], {
        pods: 'verified',
        first: autopath ? 'autopath @kubernetes' : '',
      }),
    );
  const search = ['team.svc.cluster.local.', 'svc.cluster.local.', 'cluster.local.', ''];
  write(
    'searching',
    `${Array.from({ length: externals }, (_, i) => search.map((domain) => `${external(i)}.${domain} A`))
      .flat()
      .join('\n')}\n`,
  );
  write(
    'autopath',
    queries(externals, (i) => `${external(i)}.${search[0]}`),
  );
  write(
    'one',
    queries(1, () => name(0)),
  );
  write('external', queries(externals, external));
}
