/** A real kubectl against the API server of the local cluster. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Unstructured } from '../../src/kube/types/index.ts';
import { fakeLog, gatewayCrds, startCluster, type TestCluster } from '../../src/local/apiserver/cluster.fixture.ts';
import { findKubectl, type Kubectl, kubectlFor } from './kubectl/kubectl.ts';
import { all, configMap, deployment, gateway, route, service } from './kubectl/manifests.ts';

const binaries = findKubectl();
if (binaries.length === 0) {
  console.warn('skipped the kubectl tests: there is no kubectl in PATH, and FAIRWAY_KUBECTL names none');
  it.skip('kubectl (there is none)', () => {});
}

describe.each(binaries)('kubectl $version', (binary) => {
  let cluster: TestCluster;
  let kubectl: Kubectl;
  const minor = Number(/^v1\.(\d+)/.exec(binary.version)?.[1]);

  beforeEach(async () => {
    cluster = await startCluster({ crds: gatewayCrds() });
    kubectl = kubectlFor(binary, cluster.url);
  });
  afterEach(async () => {
    kubectl.close();
    await cluster.close();
  });

  const stored = (resource: string, key: string) => cluster.objects.store.get<Unstructured>(resource, key);
  const spec = () => stored('deployments.apps', 'default/web')?.spec as Record<string, unknown>;
  const apply = async (text: string, ...flags: string[]) => kubectl('apply', ...flags, '-f', kubectl.manifest(text));

  it('finds its way', async () => {
    const resources = await kubectl('api-resources');
    expect(resources).toMatch(/^deployments +deploy +(apps\/v1|apps) +true +Deployment$/m);
    expect(resources).toMatch(/^httproutes +gateway\.networking\.k8s\.io(\/v1)? +true +HTTPRoute$/m);
    expect(await kubectl('api-versions')).toMatch(/^gateway\.networking\.k8s\.io\/v1beta1$/m);
    expect(await kubectl('version', '-o', 'json')).toMatch(/"gitVersion": "v1\.36\.0\+fairway"/);
    expect(await kubectl('get', '--raw', '/readyz')).toBe('ok');
    expect(await kubectl('auth', 'can-i', 'create', 'pods')).toBe('yes\n');
  });

  it('applies, twice', async () => {
    const manifest = all(deployment('app:1'), service, route('/'));
    expect(await apply(manifest)).toBe(
      'deployment.apps/web created\nservice/web created\nhttproute.gateway.networking.k8s.io/web created\n',
    );
    expect((await apply(manifest)).match(/unchanged/g)).toHaveLength(3);
    expect(
      (await apply(all(deployment('app:2'), service, route('/v2')), '--dry-run=server')).match(/configured/g),
    ).toHaveLength(2);
    expect(JSON.stringify(spec())).toContain('app:1');
    expect((await apply(all(deployment('app:2'), service, route('/v2')))).match(/configured/g)).toHaveLength(2);
    expect(JSON.stringify(spec())).toContain('app:2');
    expect(stored('httproutes.gateway.networking.k8s.io', 'default/web')?.spec).toMatchObject({
      rules: [{ matches: [{ path: { value: '/v2' } }] }],
    });
  });

  it('removes by apply what a manifest no longer says', async () => {
    await apply(all(deployment('app:1'), configMap('a')));
    await kubectl('label', 'deployment', 'web', 'kept=yes');
    await apply(deployment('app:1').replace('        resources: {requests: {cpu: 1, memory: 10Mi}}\n', ''));
    expect(JSON.stringify(spec())).not.toContain('memory');
    expect(stored('deployments.apps', 'default/web')?.metadata.labels).toEqual({ app: 'web', kept: 'yes' });
    // Its default list of kinds holds versions that a current server no longer has.
    const kinds = `--prune-${minor < 26 ? 'whitelist' : 'allowlist'}=core/v1/ConfigMap`;
    await kubectl('apply', '--prune', kinds, '-l', 'group=x', '-f', kubectl.manifest(configMap('b')));
    expect(stored('configmaps', 'default/a')).toBeUndefined();
  });

  it('applies on the server, sees conflicts, and forces', async () => {
    const manifest = all(deployment('app:1'), route('/'));
    expect((await apply(manifest, '--server-side')).match(/serverside-applied/g)).toHaveLength(2);
    const revision = cluster.objects.store.revision;
    await apply(manifest, '--server-side');
    expect(cluster.objects.store.revision).toBe(revision);
    const other = ['--server-side', '--field-manager=other'];
    const file = kubectl.manifest(deployment('app:2'));
    const refused = await kubectl.attempt(['apply', ...other, '-f', file]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('conflict with "kubectl": .spec.template.spec.containers[name="web"].image');
    await kubectl('apply', ...other, '--force-conflicts', '-f', file);
    expect(JSON.stringify(spec())).toContain('app:2');
  });

  it('refuses fields that a kind does not have', async () => {
    const refused = await kubectl.attempt(['apply', '-f', kubectl.manifest(`${route('/')}bogus: 1\n`)]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('unknown field "bogus"');
    const builtin = await kubectl.attempt([
      'apply',
      '-f',
      kubectl.manifest(service.replace('targetPort', 'targetport')),
    ]);
    expect(builtin.stderr).toMatch(/unknown field "(spec\.ports\[0\]\.)?targetport"/);
  });

  it('creates by command, in the form of its own choice', async () => {
    await kubectl('create', 'namespace', 'team');
    await kubectl('create', 'configmap', 'conf', '--from-literal=a=b');
    await kubectl('create', 'secret', 'generic', 'word', '--from-literal=p=q');
    await kubectl('create', 'deployment', 'web', '--image=app:1', '--replicas=0', '--port=80');
    await kubectl('expose', 'deployment', 'web', '--port=80', '--target-port=http');
    await kubectl('create', 'ingress', 'in', '--rule=a.example.com/x*=web:80');
    expect(stored('configmaps', 'default/conf')).toMatchObject({ data: { a: 'b' } });
    expect(stored('secrets', 'default/word')).toMatchObject({ data: { p: 'cQ==' } });
    expect(spec()).toMatchObject({
      replicas: 0,
      template: { spec: { containers: [{ image: 'app:1', ports: [{ containerPort: 80 }] }] } },
    });
    expect(stored('services', 'default/web')?.spec).toMatchObject({
      ports: [{ port: 80, targetPort: 'http' }],
      selector: { app: 'web' },
    });
    expect(stored('ingresses.networking.k8s.io', 'default/in')?.spec).toMatchObject({
      rules: [
        {
          host: 'a.example.com',
          http: { paths: [{ path: '/x', pathType: 'Prefix', backend: { service: { port: { number: 80 } } } }] },
        },
      ],
    });
    const again = await kubectl.attempt(['create', 'namespace', 'team']);
    expect(again.stderr).toContain('(AlreadyExists): namespaces "team" already exists');
  });

  it('patches in three ways, labels, annotates, scales, edits', async () => {
    await apply(all(deployment('app:1'), route('/')));
    const patch = (type: string, body: string) => kubectl('patch', 'deployment', 'web', `--type=${type}`, '-p', body);
    await patch('json', '[{"op":"replace","path":"/spec/replicas","value":3}]');
    expect(spec()).toMatchObject({ replicas: 3 });
    await patch('merge', '{"spec":{"replicas":4}}');
    expect(spec()).toMatchObject({ replicas: 4 });
    await patch('strategic', '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"app:3"}]}}}}');
    expect(spec()).toMatchObject({
      template: { spec: { containers: [{ image: 'app:3', ports: [{ containerPort: 80 }] }] } },
    });
    await kubectl('set', 'image', 'deployment/web', 'web=app:4');
    await kubectl('scale', 'deployment', 'web', '--current-replicas=4', '--replicas=5');
    await kubectl('label', 'httproute', 'web', 'a=b');
    await kubectl('annotate', 'httproute', 'web', 'c=d');
    const edited = await kubectl.attempt(['edit', 'deployment', 'web'], { env: { EDITOR: 'sed -i s/app:4/app:5/' } });
    expect(edited).toMatchObject({ code: 0, stdout: 'deployment.apps/web edited\n' });
    expect(spec()).toMatchObject({ replicas: 5, template: { spec: { containers: [{ image: 'app:5' }] } } });
    expect(stored('httproutes.gateway.networking.k8s.io', 'default/web')?.metadata).toMatchObject({
      labels: { a: 'b' },
      annotations: { c: 'd' },
    });
  });

  it('gets in every form', async () => {
    await apply(all(deployment('app:1'), service, gateway));
    expect(await kubectl('get', 'deployment,service', '-o', 'wide')).toMatch(
      /NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\ndeployment\.apps\/web +0\/2 +0 +0 +\S+ +web +app:1 +app=web\n\nNAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE +SELECTOR\nservice\/web +ClusterIP +<none> +<none> +80\/TCP +\S+ +app=web\n/,
    );
    expect(await kubectl('get', 'gateways')).toMatch(/NAME +CLASS +ADDRESS +PROGRAMMED +AGE\ndoor +fairway +/);
    expect(await kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.ports[0].targetPort}')).toBe('8080');
    expect(JSON.parse(await kubectl('get', 'deployments', '-o', 'json'))).toMatchObject({
      items: [{ kind: 'Deployment' }],
    });
    expect(await kubectl('get', 'gateways.v1beta1.gateway.networking.k8s.io', '-o', 'yaml')).toContain(
      'apiVersion: gateway.networking.k8s.io/v1beta1',
    );
    expect(
      await kubectl('get', 'services', '-l', 'app notin (x)', '--field-selector=metadata.name=web', '-o', 'name'),
    ).toBe('service/web\n');
    expect(await kubectl('describe', 'deployment', 'web')).toMatch(/Selector: +app=web/);
    const missing = await kubectl.attempt(['get', 'pod', 'nobody']);
    expect(missing.stderr).toBe('Error from server (NotFound): pods "nobody" not found\n');
  });

  it('pages long lists', async () => {
    for (let i = 0; i < 30; i++)
      cluster.objects.create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `c${i}`, namespace: 'default' },
      });
    expect((await kubectl('get', 'configmaps', '--chunk-size=7', '-o', 'name')).trim().split('\n')).toHaveLength(30);
  });

  it('watches', async () => {
    const watch = kubectl.start('get', 'configmaps', '-w');
    await apply(configMap('first'));
    await watch.until(/first +1 /);
    await kubectl('patch', 'configmap', 'first', '-p', '{"data":{"more":"1"}}');
    const text = await watch.until(/first +2 /);
    expect(text.match(/NAME +DATA +AGE/g)).toHaveLength(1);
    watch.stop();
  });

  it('waits for a condition', async () => {
    await apply(gateway);
    const wait = kubectl.start('wait', '--for=condition=Programmed', '--timeout=20s', 'gateway/door');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(wait.running).toBe(true);
    const object = stored('gateways.gateway.networking.k8s.io', 'default/door')!;
    const conditions = [
      {
        type: 'Programmed',
        status: 'True',
        reason: 'Programmed',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
        observedGeneration: 1,
      },
    ];
    cluster.objects.update({ ...object, status: { conditions } }, { subresource: 'status' });
    expect(await wait.until(/condition met/)).toContain('gateway.gateway.networking.k8s.io/door condition met');
    expect(await wait.exit()).toBe(0);
  });

  it('deletes by name, by label, all, and waits for the end', async () => {
    await apply(all(...['a', 'b', 'c', 'd'].map((name) => configMap(name, name === 'b' ? 'other' : 'x'))));
    await kubectl('delete', 'configmap', 'a');
    await kubectl('delete', 'configmaps', '-l', 'group=other');
    expect(
      cluster.objects.store
        .list('configmaps')
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual(['c', 'd']);
    await kubectl('patch', 'configmap', 'c', '-p', '{"metadata":{"finalizers":["example.com/hold"]}}');
    const removal = kubectl.start('delete', 'configmaps', '--all', '--wait');
    await removal.until(/"d" deleted/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(removal.running).toBe(true);
    expect(stored('configmaps', 'default/c')?.metadata.deletionTimestamp).toBeDefined();
    await kubectl('patch', 'configmap', 'c', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
    expect(await removal.exit()).toBe(0);
    expect(cluster.objects.store.list('configmaps')).toEqual([]);
  });

  it('explains', async () => {
    expect(await kubectl('explain', 'httproute.spec.rules')).toMatch(/backendRefs\s+<\[\]Object>/);
    expect(await kubectl('explain', 'service')).toMatch(/KIND: +Service\n[\s\S]*spec\s+<(Object|ServiceSpec)>/);
    expect(await kubectl('explain', 'deployment.spec.template.spec.containers.ports')).toMatch(
      /containerPort\s+<integer> -required-/,
    );
  });

  it('reads logs', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ name: 'c' }] },
    };
    cluster.objects.create(pod);
    const log = fakeLog({ time: Date.now() - 60_000, text: 'old' }, { time: Date.now(), text: 'new' });
    cluster.logs.set('default/p', log);
    expect(await kubectl('logs', 'p')).toBe('old\nnew\n');
    expect(await kubectl('logs', 'p', '-c', 'c', '--since=30s')).toBe('new\n');
    const follow = kubectl.start('logs', '-f', '--tail=1', 'p');
    await follow.until(/^new\n/);
    log.append({ time: Date.now(), text: 'newer' });
    await follow.until(/^new\nnewer\n/);
    const exec = await kubectl.attempt(['exec', 'p', '--', 'ls']);
    expect(exec.code).toBe(1);
  });
});
