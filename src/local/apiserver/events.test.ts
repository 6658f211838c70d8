/** Events of core/v1 and events.k8s.io/v1 are one storage in two forms. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Unstructured } from '../../kube/types/index.ts';
import { startCluster, type TestCluster } from './cluster.fixture.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startCluster();
});
afterEach(() => cluster.close());

const core = '/api/v1/namespaces/default/events';
const theirs = '/apis/events.k8s.io/v1/namespaces/default/events';

async function call(method: string, path: string, body?: unknown, type = 'application/json') {
  const response = await fetch(cluster.url + path, {
    method,
    headers: { 'content-type': type, 'user-agent': 'tester/1.0' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Unstructured & { items: Unstructured[] } };
}

const regarding = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'default', name: 'shop', uid: 'u' };
const event = (name: string) => ({
  ...{ apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name } },
  ...{ regarding, type: 'Warning', reason: 'Broken', action: 'Translate', note: 'no such Service' },
  ...{ reportingController: 'example.com/controller', reportingInstance: 'pod-1' },
  eventTime: '2026-01-02T03:04:05.000006Z',
});

describe('Events', () => {
  it('written in one form are read in both', async () => {
    const written = await call('POST', `${theirs}?fieldValidation=Strict`, event('shop.1'));
    expect(written).toMatchObject({ status: 201, body: event('shop.1') });
    const { body } = await call('GET', `${core}/shop.1`);
    expect(body).toMatchObject({
      ...{ apiVersion: 'v1', kind: 'Event', involvedObject: regarding, message: 'no such Service' },
      ...{ reportingComponent: 'example.com/controller', reportingInstance: 'pod-1' },
    });
    for (const name of ['regarding', 'note', 'reportingController']) expect(body).not.toHaveProperty(name);
    expect((await call('GET', `${theirs}/shop.1`)).body).toEqual(written.body);
    const old = {
      ...{
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'pod.1' },
        involvedObject: { ...regarding, kind: 'Pod' },
      },
      ...{ message: 'pulled', count: 3, source: { component: 'kubelet', host: 'n' }, firstTimestamp: null },
      lastTimestamp: '2026-01-02T03:04:05Z',
    };
    expect((await call('POST', `${core}?fieldValidation=Strict`, old)).status).toBe(201);
    expect((await call('GET', `${theirs}/pod.1`)).body).toMatchObject({
      ...{ note: 'pulled', deprecatedCount: 3, deprecatedSource: { component: 'kubelet', host: 'n' } },
      deprecatedLastTimestamp: '2026-01-02T03:04:05Z',
    });
  });

  it('are changed and deleted in either form', async () => {
    await call('POST', theirs, event('shop.1'));
    expect((await call('POST', core, { apiVersion: 'v1', kind: 'Event', metadata: { name: 'shop.1' } })).status).toBe(
      409,
    );
    const series = { count: 2, lastObservedTime: '2026-01-02T03:05:00.000000Z' };
    const patched = await call('PATCH', `${theirs}/shop.1`, { series, note: 'still' }, 'application/merge-patch+json');
    expect(patched).toMatchObject({ status: 200, body: { apiVersion: 'events.k8s.io/v1', series, note: 'still' } });
    const { body } = await call('GET', `${core}/shop.1`);
    expect(body).toMatchObject({ series, message: 'still', involvedObject: regarding });
    const put = await call('PUT', `${core}/shop.1`, { ...body, message: 'put' });
    expect(put).toMatchObject({ status: 200, body: { message: 'put' } });
    expect((await call('GET', `${theirs}/shop.1`)).body['note']).toBe('put');
    expect((await call('DELETE', `${theirs}/shop.1`)).status).toBe(200);
    expect((await call('GET', `${core}/shop.1`)).status).toBe(404);
    await call('POST', core, { ...body, metadata: { name: 'shop.2' } });
    expect((await call('DELETE', theirs)).body.items).toHaveLength(1);
    expect((await call('GET', core)).body.items).toEqual([]);
  });

  it('are selected by the fields of either form', async () => {
    await call('POST', theirs, event('shop.1'));
    await call('POST', theirs, { ...event('other.1'), regarding: { ...regarding, name: 'other' } });
    const found = async (path: string, selector: string) => {
      const { body } = await call('GET', `${path}?fieldSelector=${encodeURIComponent(selector)}`);
      return body.items.map(({ metadata }) => metadata.name);
    };
    const describing = 'involvedObject.name=shop,involvedObject.namespace=default,involvedObject.kind=Ingress';
    expect(await found(core, `${describing},involvedObject.uid=u`)).toEqual(['shop.1']);
    expect(await found(theirs, 'regarding.name=other,reportingController=example.com/controller')).toEqual(['other.1']);
    expect(await found(theirs, 'regarding.name=third')).toEqual([]);
  });

  it('are watched in the form that is asked for', async () => {
    const abort = new AbortController();
    const response = await fetch(`${cluster.url}${theirs}?watch=1`, { signal: abort.signal });
    const lines = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    await call('POST', core, {
      ...{ apiVersion: 'v1', kind: 'Event', metadata: { name: 'shop.3' }, involvedObject: regarding, message: 'seen' },
    });
    const { value } = await lines.read();
    expect(JSON.parse(value!)).toMatchObject({
      type: 'ADDED',
      object: { apiVersion: 'events.k8s.io/v1', note: 'seen', regarding },
    });
    abort.abort();
  });
});
