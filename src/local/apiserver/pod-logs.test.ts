import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeLog, startCluster, type TestCluster } from './cluster.fixture.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const line = (second: number, text: string) => ({ time: start + second * 1000, text });

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startCluster();
  for (const [name, containers] of [
    ['one', ['a']],
    ['two', ['a', 'b']],
    ['silent', ['a']],
  ] as const) {
    const spec = { containers: containers.map((container) => ({ name: container })) };
    cluster.objects.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec } as never);
  }
  cluster.logs.set('default/one', fakeLog(line(0, 'zero'), line(1, 'one'), line(2, 'two')));
  cluster.logs.set('default/two', fakeLog(line(0, 'zero')));
});
afterEach(() => cluster.close());

const get = (pod: string, query = '') => fetch(`${cluster.url}/api/v1/namespaces/default/pods/${pod}/log?${query}`);

describe('pod logs', () => {
  it.each([
    ['', 'zero\none\ntwo\n'],
    ['tailLines=1', 'two\n'],
    ['tailLines=0', ''],
    ['sinceTime=2026-01-01T00:00:01Z', 'one\ntwo\n'],
    ['limitBytes=6', 'zero\no'],
    ['timestamps=true&tailLines=1', '2026-01-01T00:00:02.000000000Z two\n'],
    ['container=a&sinceSeconds=1', ''],
  ])('?%s', async (query, expected) => {
    const response = await get('one', query);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(await response.text()).toBe(expected);
  });

  it('follows, until the Pod goes', async () => {
    const response = await get('one', 'follow=true&tailLines=1');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toBe('two\n');
    cluster.logs.get('default/one')!.append(line(3, 'three'));
    expect((await reader.read()).value).toBe('three\n');
    cluster.objects.delete('pods', 'default/one');
    expect((await reader.read()).done).toBe(true);
  });

  it('follows no further than limitBytes', async () => {
    const response = await get('one', 'follow=true&tailLines=0&limitBytes=3');
    cluster.logs.get('default/one')!.append(line(3, 'three'));
    expect(await response.text()).toBe('thr');
  });

  it.each([
    ['nobody', '', 404, /not found/],
    ['two', '', 400, /choose one of: \[a b\]/],
    ['one', 'container=x', 400, /container x is not valid/],
    ['one', 'previous=true', 400, /previous terminated container/],
    ['one', 'tailLines=-1', 400, /tailLines/],
    ['one', 'sinceTime=yesterday', 400, /sinceTime/],
    ['one', 'sinceTime=2026-01-01T00:00:01Z&sinceSeconds=3', 400, /at most one/],
    ['silent', '', 400, /waiting to start/],
  ])('%s?%s is refused', async (pod, query, code, message) => {
    const response = await get(pod, query);
    expect(response.status).toBe(code);
    expect(((await response.json()) as { message: string }).message).toMatch(message);
  });
});
