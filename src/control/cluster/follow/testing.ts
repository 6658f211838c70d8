/** A Kubernetes API that has nothing but Secrets, keeps what it was asked, and fails as a test wants it to. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createKubeClient } from '../../../kube/client/client.ts';
import { plainConfig } from '../../../kube/client/config.ts';
import { createDiscovery } from '../../../kube/client/discovery.ts';
import { createResourceRegistry } from '../../../kube/resources.ts';
import { createStore } from '../../../kube/store/store.ts';
import type { Secret } from '../../../kube/types/index.ts';

export interface Asked {
  readonly verb: 'get' | 'list' | 'watch';
  /** Of the object that it is about; absent: it is about all. */
  readonly name?: string;
  /** Data may be in the answer. */
  readonly isWhole: boolean;
}

/** `get tls`, `list names`: short for tests. */
export const short = ({ verb, name, isWhole }: Asked) => `${verb} ${name ?? 'all'}${isWhole ? '' : ' names'}`;

interface Stream {
  readonly asked: Asked;
  readonly response: ServerResponse;
}

type Answer = readonly [code: number, body: object];

export const refusal = (code: number, reason: string): Answer => [
  code,
  { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: reason },
];

const secret = (name: string, version: number, text: string): Secret => ({
  ...{ apiVersion: 'v1', kind: 'Secret' },
  metadata: { namespace: 'shop', name, resourceVersion: String(version), annotations: { note: `data ${text}` } },
  data: { text },
});

export async function openSecretsApi() {
  const objects = new Map<string, Secret>();
  const asked: Asked[] = [];
  const streams = new Set<Stream>();
  let version = 100;
  let most = 0;
  let reading = 0;
  const api = {
    asked,
    /** Most GETs under way at once. */
    get most() {
      return most;
    },
    /** An answer in place of the usual one; a promise holds it back. */
    answer: (_asked: Asked): Answer | undefined | Promise<Answer | undefined> => undefined,
    put(name: string, text: string): void {
      const type = objects.has(name) ? 'MODIFIED' : 'ADDED';
      objects.set(name, secret(name, ++version, text));
      tell(type, objects.get(name)!);
    },
    remove(name: string): void {
      const object = objects.get(name)!;
      objects.delete(name);
      tell('DELETED', { ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } });
    },
    get: (name: string) => objects.get(name),
    /** Ends watches of names with an error, as the API tells it. What happens until the next one opens, it does not tell. */
    end(code: number, reason: string): void {
      for (const stream of streams) {
        if (stream.asked.isWhole) continue;
        streams.delete(stream);
        stream.response.end(`${JSON.stringify({ type: 'ERROR', object: refusal(code, reason)[1] })}\n`);
      }
    },
    /** Connections of watches that are open. */
    get watches() {
      return [...streams].map((stream) => short(stream.asked));
    },
  };

  function shown(object: Secret, { isWhole }: Asked): object {
    return isWhole
      ? object
      : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
  }

  function tell(type: string, object: Secret): void {
    for (const { asked: each, response } of streams)
      if (each.name === undefined || each.name === object.metadata.name)
        response.write(`${JSON.stringify({ type, object: shown(object, each) })}\n`);
  }

  function send(response: ServerResponse, [code, body]: Answer): void {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  function usual(each: Asked): Answer {
    const found = each.name === undefined ? undefined : objects.get(each.name);
    if (each.verb === 'get') return found ? [200, found] : refusal(404, 'NotFound');
    const items = each.name === undefined ? [...objects.values()] : found ? [found] : [];
    return [200, { metadata: { resourceVersion: String(version) }, items: items.map((item) => shown(item, each)) }];
  }

  async function serve(each: Asked, response: ServerResponse): Promise<void> {
    if (each.verb === 'get') most = Math.max(most, ++reading);
    const instead = await api.answer(each);
    if (each.verb === 'get') reading--;
    if (instead || each.verb !== 'watch') return send(response, instead ?? usual(each));
    const stream = { asked: each, response };
    streams.add(stream);
    response.on('close', () => streams.delete(stream));
    response.flushHeaders();
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://server');
    if (pathname === '/api/v1') return send(response, [200, { resources: [{ name: 'secrets' }] }]);
    const name = pathname.split('/secrets/')[1] ?? searchParams.get('fieldSelector')?.split('=')[1];
    const listing = searchParams.get('watch') ? 'watch' : 'list';
    const verb = pathname.includes('/secrets/') ? 'get' : listing;
    const isWhole = !request.headers.accept!.includes('as=PartialObjectMetadata');
    const each: Asked = { verb, isWhole, ...(name !== undefined && { name }) };
    asked.push(each);
    void serve(each, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = createKubeClient({
    config: plainConfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
  });
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return {
    api,
    options: {
      ...{ client, store: createStore({ mirror: true }), discovery: createDiscovery({ client }) },
      resource: createResourceRegistry().byName('secrets')!,
      tuning: { backoff: { baseMs: 2, maxMs: 10 } },
    },
  };
}

export type SecretsApi = Awaited<ReturnType<typeof openSecretsApi>>['api'];
