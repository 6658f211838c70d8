/**
 * The API server of the local cluster: Kubernetes REST over an object store. One user, no authentication: it is meant
 * for loopback, and answers only requests that a page of some web site cannot have sent.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isIP } from 'node:net';
import { type Clock, systemClock } from '../../base/clock.ts';
import { createLogger, type Logger } from '../../base/log.ts';
import type { ObjectApi } from '../../kube/objects.ts';
import type { PodLog } from '../runtime.ts';
import { type Call, type Reply, refuse, type ServerContext } from './call.ts';
import { type ApiLimits, apiLimits } from './limits.ts';
import { negotiate } from './negotiate.ts';
import { route } from './routes.ts';
import { crdSchemaSource, type SchemaSource } from './schemas.ts';
import { send } from './send.ts';
import { badRequest, type Refusal } from './status.ts';

export interface ApiServerOptions {
  objects: ObjectApi;
  /** What CRDs say of their kinds. Default: read from the CRD objects in the store. */
  openapi?: SchemaSource;
  /** Log of a Pod's container by `namespace/name`; undefined when the Pod does not run. */
  podLogs(key: string, container?: string): PodLog | undefined;
  limits?: Partial<ApiLimits>;
  /** Host names, besides loopback names and addresses, that requests may be sent to. */
  hosts?: readonly string[];
  clock?: Clock;
  log?: Logger;
}

export interface ApiServer {
  /** Port 0 takes any free one. Rejects when the address cannot be bound. */
  listen(address: { host: string; port: number }): Promise<{ url: string }>;
  /** Ends watches, then cuts what is still open. */
  close(): Promise<void>;
}

const HEADER_BYTES = 32 * 1024;
const localNames = /^(localhost|kubernetes(\.default(\.svc(\..+)?)?)?)$/;

/** Host of a Host header or an origin, without port and brackets. */
function hostOf(authority: string): string {
  return authority
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
}

/**
 * A web site may make a browser send requests here: under its own name that it has rebound to loopback (then Host is
 * that name), or across origins (then Origin is another one). Neither is for us.
 */
function foreign(request: IncomingMessage, hosts: readonly string[]): Refusal | undefined {
  const host = hostOf(request.headers.host ?? '');
  const forbidden = (message: string): Refusal => ({ code: 403, reason: 'Forbidden', message });
  if (isIP(host) === 0 && !localNames.test(host) && !hosts.includes(host))
    return forbidden(`requests to the host ${JSON.stringify(host)} are not answered here`);
  const { origin } = request.headers;
  if (origin !== undefined && origin.replace(/^\w+:\/\//, '') !== request.headers.host)
    return forbidden(`requests from the origin ${JSON.stringify(origin)} are not answered here`);
  return undefined;
}

function readCall(request: IncomingMessage): Call | undefined {
  try {
    const url = new URL(request.url ?? '/', 'http://server');
    const path = url.pathname.slice(1).replace(/\/$/, '').split('/').map(decodeURIComponent);
    const { method = 'GET', headers } = request;
    return { method, path, query: url.searchParams, request, accept: negotiate(headers.accept) };
  } catch (error) {
    // The URL, or the percent-encoding of a path segment, is malformed.
    if (error instanceof TypeError || error instanceof URIError) return undefined;
    throw error;
  }
}

const nowhere = (request: IncomingMessage): Call => ({
  method: 'GET',
  path: [],
  query: new URLSearchParams(),
  request,
  accept: negotiate(undefined),
});

async function answer(
  context: ServerContext,
  hosts: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const call = readCall(request);
  if (!call) return send(nowhere(request), refuse(badRequest('the path of the request is malformed')), response);
  const refusal = foreign(request, hosts);
  let reply: Reply;
  try {
    reply = refusal ? refuse(refusal) : await route(context, call);
    await send(call, reply, response);
  } catch (error) {
    context.log.error({ err: error, method: call.method, path: request.url }, 'a request failed');
    if (response.headersSent) response.destroy();
    else
      await send(
        call,
        refuse({ code: 500, reason: 'InternalError', message: 'an internal error occurred; it is in the log' }),
        response,
      );
  }
  // What is left of a body that nobody read would be taken for the next request.
  if (!request.complete && !request.destroyed) request.resume();
}

function bind(server: Server, { host, port }: { host: string; port: number }): Promise<{ url: string }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const bound = server.address() as AddressInfo;
      resolve({ url: `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}` });
    });
  });
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const log = options.log ?? createLogger('apiserver');
  const limits = apiLimits(options.limits);
  const context: ServerContext = {
    objects: options.objects,
    schemas: options.openapi ?? crdSchemaSource(options.objects.store),
    podLogs: (key, container) => options.podLogs(key, container),
    limits,
    clock: options.clock ?? systemClock,
    log,
    streams: new Set(),
  };
  const settings = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    maxHeaderSize: HEADER_BYTES,
    noDelay: true,
  };
  const server = createServer(settings, (request, response) => {
    response.on('error', (error) => log.debug({ err: error }, 'a client went away'));
    answer(context, options.hosts ?? [], request, response).catch((error: unknown) => {
      log.error({ err: error }, 'an answer could not be sent');
      response.destroy();
    });
  });
  server.maxConnections = limits.connections;
  return {
    listen: (address) => bind(server, address),
    async close() {
      for (const end of [...context.streams]) end();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Watches get a moment to send their last chunk.
      setTimeout(() => server.closeAllConnections(), 100).unref();
      await closed;
    },
  };
}
