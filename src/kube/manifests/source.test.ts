import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Admission } from '../objects.ts';
import { createObjectApi } from '../objects.ts';
import { createResourceRegistry } from '../resources.ts';
import { createStore } from '../store/store.ts';
import type { Service } from '../types/index.ts';
import { createManifestSource, type ManifestReport, type ManifestSource } from './source.ts';

const admitAll: Admission = ({ object }) => ({ object, errors: [], warnings: [] });
const refuseBadPorts: Admission = ({ object }) => {
  const port = (object.spec as Service['spec'] | undefined)?.ports?.[0]?.port ?? 1;
  return {
    object,
    errors:
      port > 65535
        ? [{ field: 'spec.ports[0].port', reason: 'FieldValueInvalid', message: `Invalid value: ${port}` }]
        : [],
    warnings: [],
  };
};

const service = (name: string, port = 80) =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  ports:\n  - port: ${port}\n`;

let folder: string;
let source: ManifestSource | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifests-'));
});
afterEach(async () => {
  await source?.close();
  source = undefined;
  await rm(folder, { recursive: true });
});

function start(paths: string[], admit: Admission = admitAll, extra: { stdin?: string; maxFileBytes?: number } = {}) {
  const store = createStore();
  const objects = createObjectApi({ store, registry: createResourceRegistry(), admit });
  source = createManifestSource({ paths, objects, ...extra });
  return { store, objects, source };
}

/** Waits for the report of the next burst of edits. */
async function nextReport(of: ManifestSource): Promise<{ next: () => Promise<ManifestReport> }> {
  const reports: ManifestReport[] = [];
  const waiting: ((report: ManifestReport) => void)[] = [];
  await of.watch((report) => {
    const taker = waiting.shift();
    if (taker) taker(report);
    else reports.push(report);
  });
  return {
    next: () =>
      reports.length > 0 ? Promise.resolve(reports.shift()!) : new Promise((resolve) => waiting.push(resolve)),
  };
}

describe('manifest source', () => {
  it('loads folders, files and standard input', async () => {
    await writeFile(join(folder, 'a.yaml'), service('a'));
    await writeFile(join(folder, 'notes.txt'), 'not a manifest');
    const { store, source } = start([folder, '-'], admitAll, { stdin: service('from-stdin') });
    expect(await source.load()).toMatchObject({ created: 2, diagnostics: [] });
    expect(store.list('services').map((object) => object.metadata.name)).toEqual(
      expect.arrayContaining(['a', 'from-stdin']),
    );
  });

  it('refuses one object with its place and keeps the rest', async () => {
    await writeFile(join(folder, 'a.yaml'), `${service('good')}---\n${service('bad', 70000)}`);
    const { store, source } = start([folder], refuseBadPorts);
    const { diagnostics } = await source.load();
    expect(diagnostics).toMatchObject([
      {
        code: 'FW1003',
        fieldPath: 'spec.ports[0].port',
        object: { kind: 'Service', name: 'bad' },
        position: { file: join(folder, 'a.yaml'), line: 15, column: 5 },
      },
    ]);
    expect(store.list('services')).toHaveLength(1);
  });

  it('skips unknown kinds with one line each', async () => {
    const virtual = (name: string) =>
      `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: ${name}}\n`;
    await writeFile(join(folder, 'a.yaml'), `${virtual('x')}---\n${virtual('y')}---\n${service('a')}`);
    const { source } = start([folder]);
    const { diagnostics } = await source.load();
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]).toMatchObject({
      code: 'FW1002',
      message: 'skipped 2 of unknown kind VirtualService (networking.istio.io/v1): x, y',
    });
  });

  it('says what is wrong with paths and sizes', async () => {
    await writeFile(join(folder, 'big.yaml'), service('big') + '#'.repeat(2000));
    const empty = await mkdtemp(join(folder, 'empty-'));
    const { source } = start([join(folder, 'big.yaml'), join(folder, 'missing.yaml'), empty], admitAll, {
      maxFileBytes: 1000,
    });
    const { diagnostics } = await source.load();
    expect(diagnostics.map((d) => d.code).sort()).toEqual(['FW1004', 'FW1005', 'FW1006']);
  });

  it('follows edits, keeps the last good objects of a broken file, and forgets deleted files', async () => {
    const file = join(folder, 'a.yaml');
    await writeFile(file, service('a', 80));
    const { store, source } = start([folder]);
    await source.load();
    const { next } = await nextReport(source);

    const edited = performance.now();
    await writeFile(file, service('a', 81));
    expect(await next()).toMatchObject({ updated: 1 });
    expect(performance.now() - edited).toBeLessThan(1000);
    expect(store.get<Service>('services', 'default/a')?.spec.ports?.[0]?.port).toBe(81);

    await writeFile(file, 'kind: [');
    const broken = await next();
    expect(broken.deleted).toBe(0);
    expect(broken.diagnostics).toMatchObject([{ code: 'FW1001', position: { file } }]);
    expect(store.list('services')).toHaveLength(1);

    await writeFile(file, service('a', 82));
    expect((await next()).diagnostics).toEqual([]);

    await writeFile(join(folder, 'b.yaml'), service('b'));
    expect(await next()).toMatchObject({ created: 1 });
    await rm(file);
    expect(await next()).toMatchObject({ deleted: 1 });
    expect(store.list('services').map((object) => object.metadata.name)).toEqual(['b']);
  });

  it('keeps what others wrote: allocated fields and a scale through the API', async () => {
    const file = join(folder, 'a.yaml');
    const deployment = (image: string) =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  image: ${image}\n`;
    await writeFile(file, deployment('one'));
    const { store, objects, source } = start([folder]);
    await source.load();
    const live = store.get<{ spec: object } & Service>('deployments.apps', 'default/d')!;
    objects.update({ ...live, spec: { ...live.spec, replicas: 3 } } as never);
    const { next } = await nextReport(source);
    await writeFile(file, deployment('two'));
    await next();
    expect(store.get<Service>('deployments.apps', 'default/d')!.spec).toEqual({ image: 'two', replicas: 3 });
  });

  it('warns of an object that two files define; the last one wins', async () => {
    await writeFile(join(folder, 'a.yaml'), service('same', 1));
    await writeFile(join(folder, 'b.yaml'), service('same', 2));
    const { store, source } = start([folder]);
    const { diagnostics } = await source.load();
    expect(diagnostics).toMatchObject([{ code: 'FW1007', position: { file: join(folder, 'b.yaml') } }]);
    expect(store.get<Service>('services', 'default/same')?.spec.ports?.[0]?.port).toBe(2);
  });
});
