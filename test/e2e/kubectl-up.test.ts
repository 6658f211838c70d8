/**
 * A real kubectl against a whole front door: what the user of a cluster types, and what comes of it in objects, in
 * answers of Pods and on the screen.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { findKubectl, type Kubectl, kubectlFor } from './kubectl/kubectl.ts';

const example = join(packageRoot, 'examples/front-door');
const binaries = canBind ? findKubectl() : [];
if (binaries.length === 0) {
  const reason = canBind ? 'there is no kubectl in PATH, and FAIRWAY_KUBECTL names none' : 'needs root on Linux';
  console.warn(`skipped kubectl against a front door: ${reason}`);
  it.skip(`kubectl against a front door (${reason})`, () => {});
}

const crd = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.harbour.example.com}
spec:
  group: harbour.example.com
  names: {kind: Boat, plural: boats, shortNames: [bo]}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      additionalPrinterColumns: [{name: Draught, type: integer, jsonPath: .spec.draught}]
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [draught]
              properties:
                draught: {type: integer, minimum: 1, description: Depth of the keel in metres.}
                depth: {type: integer, default: 10}
              x-kubernetes-validations:
                - rule: self.draught < self.depth
                  message: the boat would run aground
`;
const boat = (draught: number | string) => `
apiVersion: harbour.example.com/v1
kind: Boat
metadata: {name: b}
spec: {draught: ${draught}}
`;

const route = (value: string, service = 'shop', host = 'shop.example.com') => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: external-gateway}]
  hostnames: [${host}]
  rules:
    - matches: [{path: {type: PathPrefix, value: ${value}}}]
      backendRefs: [{name: ${service}, port: 80}]
`;

describe.each(binaries)('kubectl $version and a front door', (binary) => {
  let folder: string;
  let door: TestDoor;
  let kubectl: Kubectl;
  const minor = Number(/^v1\.(\d+)/.exec(binary.version)?.[1]);
  /** Address of the Gateway. */
  let gateway: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kubectl-up-'));
    mkdirSync(join(folder, 'manifests'));
    door = await openDoor(10, { paths: [join(folder, 'manifests')] });
    kubectl = kubectlFor(binary, door.summary.api);
    await kubectl('apply', '-f', example);
    await kubectl('create', 'deployment', 'shop', '--image=example.com/shop:1', '--port=8080', '--replicas=2');
    await kubectl('expose', 'deployment', 'shop', '--port=80', '--target-port=8080');
    await kubectl('apply', '-f', kubectl.manifest(route('/')));
    await rolledOut('shop');
    await kubectl('wait', '--for=condition=Programmed', 'gateway/external-gateway', '--timeout=20s');
    gateway = await at('gateway', 'external-gateway', '.status.addresses[0].value');
  }, 30_000);
  afterAll(async () => {
    kubectl?.close();
    await door?.close(0);
    rmSync(folder, { recursive: true, force: true });
  });

  const rolledOut = (name: string) => kubectl('rollout', 'status', `deployment/${name}`, '--timeout=20s');
  const at = (resource: string, name: string, path: string) =>
    kubectl('get', resource, name, '-o', `jsonpath={${path}}`);
  const listed = async (...args: string[]) => (await kubectl('get', ...args, '-o', 'name')).trim().split('\n');
  const visit = async (path = '/', host = 'shop.example.com') => ask({ address: gateway, host, path });
  /** Names of the Pods that answer, out of a few requests. */
  async function answering(): Promise<string[]> {
    const answers = await Promise.all(Array.from({ length: 12 }, () => visit()));
    return [...new Set(answers.map(({ echo }) => `pod/${echo.pod}`))].sort();
  }

  it('has nothing to do when everything is applied again', async () => {
    await rolledOut('web-frontend');
    await kubectl('wait', '--for=condition=Ready', 'pod/mysql-1', '--timeout=20s');
    const before = door.store.revision;
    const again = await kubectl.attempt(['apply', '-f', example]);
    expect(again.stderr).toBe('');
    expect(again.stdout.match(/ unchanged$/gm)).toHaveLength(15);
    // Defaults within lists of custom resources: a client-side apply sends them anew, in every cluster.
    expect(again.stdout.match(/ configured$/gm)).toHaveLength(3);
    expect(door.store.revision).toBe(before);
  });

  it('applies on the server into a namespace of its own, and deletes the namespace with all that is in it', async () => {
    await kubectl('create', 'namespace', 'side');
    for (let i = 0; i < 2; i++) {
      const applied = await kubectl('apply', '--server-side', '-n', 'side', '-f', example);
      expect(applied.match(/ serverside-applied$/gm)).toHaveLength(18);
    }
    await kubectl('rollout', 'status', '-n', 'side', 'deployment/api-v1', '--timeout=20s');
    const side = await kubectl('get', 'gateway', '-n', 'side', '-o', 'jsonpath={.items[0].status.addresses[0].value}');
    expect((await ask({ address: side, host: 'canary.example.com' })).echo.namespace).toBe('side');
    await kubectl('delete', 'namespace', 'side', '--timeout=20s');
    expect(await kubectl('get', 'deployments,pods,services,endpointslices,secrets', '-n', 'side')).toBe('');
    await expect(ask({ address: side, host: 'canary.example.com' })).rejects.toThrow(/ECONNREFUSED/);
  });

  it('shows what a cluster shows', async () => {
    const wide = await kubectl('get', 'gateway,httproute,ingress,svc,endpointslices,deploy,rs,pods', '-o', 'wide');
    for (const row of [
      /NAME +CLASS +ADDRESS +PROGRAMMED +AGE\ngateway\S+\/external-gateway +fairway +127\.142\.\S+ +True +\d+s/,
      /httproute\S+\/canary +\["canary\.example\.com"\] +\d+s/,
      /ingress\S+\/front-door +fairway +api\.example\.com,web\.example\.com +127\.142\.0\.1 +80, 443 +\d+s/,
      /service\/payments +ExternalName +<none> +payments\.example\.net +<none> +\d+s +<none>/,
      /service\/shop +ClusterIP +127\.140\.\S+ +<none> +80\/TCP +\d+s +app=shop/,
      /endpointslice\S+\/shop-\S+ +IPv4 +8080 +127\.141\.\S+,127\.141\.\S+ +\d+s/,
      /deployment\.apps\/shop +2\/2 +2 +2 +\d+s +shop +example\.com\/shop:1 +app=shop/,
      /replicaset\.apps\/shop-\S+ +2 +2 +2 +\d+s +shop +example\.com\/shop:1 +app=shop,pod-template-hash=\S+/,
      /pod\/shop-\S+ +1\/1 +Running +0 +\d+s +127\.141\.\S+ +fairway +<none> +<none>/,
    ])
      expect(wide).toMatch(row);
    expect(await kubectl('get', 'nodes')).toMatch(/fairway +Ready +control-plane/);
    expect(await kubectl('cluster-info')).toContain('is running at');
    expect(await kubectl('auth', 'can-i', 'delete', 'gateways')).toBe('yes\n');
    expect((await kubectl.attempt(['get', 'events'])).code).toBe(0);
    expect((await kubectl.attempt(['top', 'pods'])).stderr).toMatch(/Metrics API not available/);
  });

  it.each([
    ['pods', 'app=shop', /^Controlled By: +ReplicaSet\/shop-/m],
    ['services', '', /^Endpoints: +127\.141\.\S+:8080,127\.141/m],
    ['ingresses', '', /api-v1:80 \(127\.141\.\S+:8080,127\.141/],
    ['gateways', '', /Message: +All listeners are valid/],
    ['httproutes', '', /Message: +Attached to the listener http/],
    ['deployments', '', /^NewReplicaSet: +shop-\S+ \(2\/2 replicas created\)/m],
    ['endpointslices', '', /TargetRef: +Pod\/shop-/],
    ['nodes', '', /HolderIdentity: +fairway/],
    ['namespaces', '', /^Status: +Active/m],
    ['secrets', '', /^tls\.crt: +\d+ bytes/m],
  ])('describes %s', async (resource, selector, text) => {
    // Asks for discovery.k8s.io/v1beta1, which no current server has.
    if (resource === 'endpointslices' && minor < 21) return;
    const said = await kubectl.attempt(['describe', resource, ...(selector ? ['-l', selector] : [])]);
    expect(said).toMatchObject({ code: 0, stderr: '' });
    expect(said.stdout).toMatch(text);
    // Old ones look for a Service that most clusters have not.
    const lines = said.stdout.replace(/^Default backend: +default-http-backend.*$/m, '');
    expect(lines).not.toMatch(/error|failed to|not found/i);
  });

  it('scales, and waits', async () => {
    await kubectl('scale', 'deployment/shop', '--replicas=3');
    await kubectl('wait', '--for=condition=Available', 'deployment/shop', '--timeout=20s');
    await rolledOut('shop');
    await kubectl('wait', '--for=condition=Ready', 'pod', '-l', 'app=shop', '--timeout=20s');
    await kubectl('wait', '--for=condition=Programmed', 'gateway/external-gateway', '--timeout=20s');
    const pods = await listed('pods', '-l', 'app=shop');
    expect(pods).toHaveLength(3);
    expect(await answering()).toEqual(pods);
    await kubectl('scale', 'deployment/shop', '--replicas=2');
    await eventually(answering, (seen) => seen.length === 2);
  });

  it('replaces a Pod that is deleted', async () => {
    const [first] = await listed('pods', '-l', 'app=shop');
    const gone = kubectl.start('wait', '--for=delete', first!, '--timeout=20s');
    await kubectl('delete', first!);
    expect(await gone.exit()).toBe(0);
    await rolledOut('shop');
    const pods = await listed('pods', '-l', 'app=shop');
    expect(pods).toHaveLength(2);
    expect(pods).not.toContain(first);
    expect(await eventually(answering, (seen) => seen.length === 2)).toEqual(pods);
  });

  it('rolls out a new version and back to the ReplicaSet of the old one', async () => {
    const image = '.spec.template.spec.containers[0].image';
    const [original] = await listed('replicasets', '-l', 'app=shop');
    await kubectl('rollout', 'restart', 'deployment/shop');
    await rolledOut('shop');
    await kubectl('set', 'image', 'deployment/shop', 'shop=example.com/shop:2');
    await rolledOut('shop');
    expect(await at('deployment', 'shop', image)).toBe('example.com/shop:2');
    const history = () => kubectl('rollout', 'history', 'deployment/shop');
    expect((await history()).match(/^\d+/gm)).toEqual(['1', '2', '3']);
    await kubectl('rollout', 'undo', 'deployment/shop', '--to-revision=1');
    await rolledOut('shop');
    expect(await at('deployment', 'shop', image)).toBe('example.com/shop:1');
    expect((await history()).match(/^\d+/gm)).toEqual(['2', '3', '4']);
    expect(await listed('replicasets', '-l', 'app=shop')).toHaveLength(3);
    expect(await kubectl('get', original!, '-o', 'jsonpath={.status.readyReplicas}')).toBe('2');
    await eventually(
      answering,
      (seen) => seen.length === 2 && seen.every((pod) => pod.includes(original!.split('/')[1]!)),
    );
  });

  it('sends traffic where a changed HTTPRoute says', async () => {
    await kubectl('apply', '-f', kubectl.manifest(route('/', 'web-frontend')));
    await eventually(visit, ({ echo }) => echo.pod?.startsWith('web-frontend-'));
    const changed = kubectl.manifest(route('/shop'));
    const difference = await kubectl.attempt(['diff', '-f', changed]);
    expect(difference.code).toBe(1);
    expect(difference.stdout).toMatch(/^-\s+name: web-frontend\n\+\s+name: shop$/m);
    await kubectl('apply', '-f', changed);
    await eventually(
      () => visit('/shop/x'),
      ({ echo }) => echo.pod?.startsWith('shop-'),
    );
    expect((await visit('/')).status).toBe(404);
    expect((await kubectl.attempt(['diff', '-f', changed])).code).toBe(0);
    const json = '[{"op":"replace","path":"/spec/rules/0/matches/0/path/value","value":"/json"}]';
    await kubectl('patch', 'httproute', 'shop', '--type=json', '-p', json);
    await eventually(
      () => visit('/json'),
      ({ status }) => status === 200,
    );
    await kubectl('patch', 'httproute', 'shop', '--type=merge', '-p', '{"spec":{"hostnames":["merge.example.com"]}}');
    await eventually(
      () => visit('/json', 'merge.example.com'),
      ({ status }) => status === 200,
    );
    const editor = join(folder, 'edit.sh');
    writeFileSync(editor, 'sed -i "s/merge.example.com/shop.example.com/; s,/json,/," "$1"\n');
    const env = { EDITOR: `sh ${editor}` };
    const edited = await kubectl.attempt(['edit', 'httproute', 'shop'], { env });
    expect(edited).toMatchObject({ code: 0, stdout: 'httproute.gateway.networking.k8s.io/shop edited\n' });
    await eventually(visit, ({ status }) => status === 200);
  });

  it('refuses a bad HTTPRoute, names the field, and serves on', async () => {
    const refused = await kubectl.attempt(['apply', '-f', kubectl.manifest(route('no-slash'))]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/The HTTPRoute "shop" is invalid.*: [\s\S]*spec\.rules\[0\]\.matches\[0\]\.path/);
    expect((await visit()).status).toBe(200);
  });

  it('takes a Pod out of rotation by an annotation, and back', async () => {
    const [first, second] = await listed('pods', '-l', 'app=shop', '--field-selector=status.phase=Running');
    await kubectl('annotate', first!, 'fairway.dev/ready=false');
    await eventually(answering, (seen) => seen.length === 1 && seen[0] === second);
    expect(await kubectl('get', first!)).toMatch(/ 0\/1 +Running/);
    await kubectl('annotate', first!, 'fairway.dev/ready-');
    await eventually(answering, (seen) => seen.length === 2);
    await kubectl('label', first!, 'tier=front');
    expect(await listed('pods', '-l', 'tier=front')).toEqual([first]);
  });

  it('patches a Deployment strategically', async () => {
    const change = '{"spec":{"template":{"spec":{"containers":[{"name":"shop","image":"example.com/shop:3"}]}}}}';
    await kubectl('patch', 'deployment', 'shop', '-p', change);
    await rolledOut('shop');
    const container = JSON.parse(await at('deployment', 'shop', '.spec.template.spec.containers[0]'));
    expect(container).toMatchObject({ image: 'example.com/shop:3', ports: [{ containerPort: 8080 }] });
  });

  it('shows requests in the logs of Pods, and goes on when told to follow', async () => {
    await kubectl('scale', 'deployment/shop', '--replicas=1');
    await eventually(
      () => listed('pods', '-l', 'app=shop'),
      (pods) => pods.length === 1,
      10_000,
    );
    await visit('/seen');
    expect(await kubectl('logs', 'deployment/shop')).toMatch(/request made to \/seen to client \(127\.0\.0\.1:\d+\)$/m);
    const follow = kubectl.start('logs', '-f', '--tail=1', 'deployment/shop');
    await follow.until(/\/seen/);
    await visit('/seen-later');
    await follow.until(/\/seen-later/);
    follow.stop();
  });

  it('watches a rollout', async () => {
    const watch = kubectl.start('get', 'deployment', 'shop', '--watch');
    await watch.until(/shop +1\/1/);
    await kubectl('scale', 'deployment/shop', '--replicas=2');
    await watch.until(/shop +2\/2/);
    watch.stop();
  });

  it('creates by command what traffic then uses', async () => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=new.example.com', '-addext', 'subjectAltName=DNS:new.example.com', '-days', '2'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject], { stdio: 'pipe' });
    await kubectl('create', 'secret', 'tls', 'new', `--cert=${cert}`, `--key=${key}`);
    await kubectl('create', 'configmap', 'conf', '--from-literal=a=b');
    await kubectl('create', 'ingress', 'new', '--class=fairway', '--rule=new.example.com/*=shop:80,tls=new');
    const seen = () => ask({ address: door.config.ingressAddress, host: 'new.example.com', tls: true });
    expect((await eventually(seen, ({ status }) => status === 200)).echo.pod).toMatch(/^shop-/);
    expect(await kubectl('get', 'configmap,secret')).toMatch(
      /configmap\/conf +1 [\s\S]*secret\/new +kubernetes\.io\/tls +2 /,
    );
    for (const kind of ['configmap/conf', 'secret/new', 'service/shop'])
      expect(await kubectl('get', kind, '-o', 'jsonpath={.metadata.generation}')).toBe('');
  });

  it('learns a kind at run time and holds its objects to schema and rules', async () => {
    await kubectl('apply', '-f', kubectl.manifest(crd));
    await kubectl('wait', '--for=condition=Established', 'crd/boats.harbour.example.com', '--timeout=20s');
    const apply = (draught: number | string) => kubectl.attempt(['apply', '-f', kubectl.manifest(boat(draught))]);
    expect((await apply(0)).stderr).toMatch(/spec\.draught: Invalid value: 0: .*greater than or equal to 1/);
    expect((await apply(12)).stderr).toMatch(/spec: Invalid value: .*: the boat would run aground/);
    expect((await apply('deep')).stderr).toMatch(/spec\.draught/);
    expect((await apply(3)).stdout).toBe('boat.harbour.example.com/b created\n');
    expect(await kubectl('get', 'bo')).toMatch(/NAME +DRAUGHT\nb +3\n/);
    expect(await at('boat', 'b', '.spec.depth')).toBe('10');
    expect(await kubectl('explain', 'boat.spec.draught')).toContain('Depth of the keel');
    await kubectl('delete', 'crd', 'boats.harbour.example.com', '--timeout=20s');
    expect((await kubectl.attempt(['get', 'boats'])).stderr).toMatch(
      /doesn't have a resource type "boats"|could not find the requested resource/,
    );
  });

  it('explains the Gateway API', async () => {
    expect(await kubectl('explain', 'httproute.spec.rules')).toMatch(/backendRefs\s+<\[\]Object>/);
  });

  it('shows what is wrong with an object as its Events, once for as long as it is', async () => {
    const ingress = (service: string) =>
      kubectl.manifest(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: lost}
spec:
  ingressClassName: fairway
  rules:
    - host: lost.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ${service}, port: {number: 80}}}}]}
`);
    const isTold = () => door.diagnostics().some(({ code, object }) => code === 'FW2020' && object?.name === 'lost');
    await kubectl('apply', '-f', ingress('nowhere'));
    const described = () => kubectl('describe', 'ingress', 'lost');
    const first = await eventually(described, (text) => text.includes('FW2020'), 10_000);
    expect(first).toMatch(
      /Events:\n.*\n.*\n {2}Warning +FW2020 +\d+s +fairway\.dev\/gateway-controller +spec\.rules\[0\]\S+ Service default\/nowhere does not exist; fix: /,
    );
    await kubectl('label', 'ingress', 'lost', 'looked=at');
    await kubectl('apply', '-f', ingress('shop'));
    await eventually(isTold, (told) => !told, 10_000);
    // What is mended and broken again between two looks was never mended.
    await new Promise((resume) => setTimeout(resume, 1_000));
    await kubectl('apply', '-f', ingress('nowhere'));
    const counted = () => kubectl('get', 'events.events.k8s.io', '-o', 'jsonpath={.items[*].series.count}');
    await eventually(counted, (text) => text === '2', 10_000);
    // Older ones look at the count of the core Event alone, and know no `events`.
    if (minor >= 26) expect(await described()).toMatch(/ \(x2 over \d+s\) /);
    const about = ['--field-selector', 'involvedObject.name=lost'];
    const listed = await (minor < 26 ? kubectl('get', 'events', ...about) : kubectl('events', '--for', 'ingress/lost'));
    expect(listed.trim().split('\n')).toHaveLength(2);
    expect(await kubectl('get', 'events.events.k8s.io')).toContain('ingress/lost');
    await kubectl('delete', 'ingress', 'lost');
  });

  it('runs a Job to its end and finds its Pod', async () => {
    await kubectl('create', 'job', 'once', '--image=example.com/once:1');
    await kubectl('wait', '--for=condition=Complete', 'job/once', '--timeout=20s');
    expect(await listed('pods', '-l', 'job-name=once')).toHaveLength(1);
    const described = await kubectl('describe', 'job', 'once');
    expect(described).toMatch(/^Selector: +batch\.kubernetes\.io\/controller-uid=/m);
    expect((await kubectl.attempt(['logs', 'job/once'])).stderr).not.toMatch(/Found/);
  });

  it('deletes a front door, which then answers no more', async () => {
    await kubectl('delete', 'gateway', 'external-gateway');
    await eventually(
      () =>
        visit().then(
          () => 'answers',
          (error: Error) => error.message,
        ),
      (seen) => seen.includes('ECONNREFUSED'),
    );
    await kubectl('delete', '-f', join(example, 'ingress.yaml'));
    const old = () => ask({ address: door.config.ingressAddress, host: 'web.example.com' });
    await eventually(old, ({ status }) => status === 404);
  });
});
