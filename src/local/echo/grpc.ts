/**
 * gRPC of echo Pods: the echo service of the Gateway API conformance suite (`grpcecho.proto`) and the health service
 * (grpc.health.v1), which answers SERVING for every name because an echo Pod stands for any server.
 */
import type { ServerHttp2Stream } from 'node:http2';
import type { EchoPort } from './connection.ts';
import type { EchoRequest } from './http-answer.ts';
import type { EchoLimits } from './limits.ts';
import { type Field, grpcFrame, messageField, numberField, stringField } from './protobuf.ts';

/** Codes of gRPC that are used here. */
const grpcCode = { ok: 0, unknown: 2, resourceExhausted: 8, unimplemented: 12 } as const;

const echoService = 'gateway_api_conformance.echo_basic.grpcecho.GrpcEcho';
const servingStatus = 1;

type Method = (request: EchoRequest, port: EchoPort) => Field[];

const methods: Readonly<Record<string, Method>> = {
  [`/${echoService}/Echo`]: echo,
  [`/${echoService}/EchoTwo`]: echo,
  '/grpc.health.v1.Health/Check': () => [numberField(1, servingStatus)],
};
const services = new Set([echoService, 'grpc.health.v1.Health']);

/** HTTP status to gRPC code, as gRPC clients read a proxy's answer (grpc `http-grpc-status-mapping.md`). */
const codeOfStatus: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};

/** Reads the whole request, then answers with one message and trailers, or with trailers only. */
export function answerGrpc(stream: ServerHttp2Stream, request: EchoRequest, port: EchoPort, limits: EchoLimits): void {
  const path = request.uri.split('?', 1)[0]!;
  port.log(`Received over ${request.tls ? 'TLS' : 'plaintext'}: ${path} from client (${request.remote})`);
  let received = 0;
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received <= limits.grpcMessageBytes) return;
    stream.removeAllListeners('data');
    stream.resume();
    fail(stream, grpcCode.resourceExhausted, `message larger than ${limits.grpcMessageBytes} bytes`);
  });
  stream.once('end', () => finish(stream, path, request, port));
}

function finish(stream: ServerHttp2Stream, path: string, request: EchoRequest, port: EchoPort): void {
  if (stream.destroyed || stream.headersSent) return;
  if (port.status !== undefined && port.status >= 300) {
    fail(stream, codeOfStatus[port.status] ?? grpcCode.unknown, `forced status ${port.status}`);
    return;
  }
  const method = Object.hasOwn(methods, path) ? methods[path]! : undefined;
  if (!method) {
    fail(stream, grpcCode.unimplemented, unknownMethod(path));
    return;
  }
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(grpcCode.ok) }));
  stream.end(grpcFrame(method(request, port)));
}

function unknownMethod(path: string): string {
  const [, service = '', method = ''] = path.split('/');
  return services.has(service) ? `method ${method} not implemented` : `unknown service ${service}`;
}

/** A response of trailers only; the message is percent-encoded (gRPC over HTTP/2, `Status-Message`). */
function fail(stream: ServerHttp2Stream, code: number, message: string): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(code),
      'grpc-message': message.replaceAll(/[^\x20-\x24\x26-\x7e]/g, (character) => encodeURIComponent(character)),
    },
    { endStream: true },
  );
}

/** Fields that a Go server keeps out of the metadata of a call. */
const reserved = new Set([
  'te',
  'host',
  'grpc-message-type',
  'grpc-encoding',
  'grpc-message',
  'grpc-status',
  'grpc-timeout',
]);

/** `EchoResponse{assertions}`; field numbers from grpcecho.proto. */
function echo(request: EchoRequest, port: EchoPort): Field[] {
  const headers = [[':authority', request.host] as const, ...request.headers.filter(([name]) => !reserved.has(name))];
  const { identity } = port;
  const context = [
    stringField(1, identity.namespace),
    stringField(2, identity.ingress),
    stringField(3, identity.service),
    stringField(4, identity.pod),
  ];
  return [
    messageField(1, [
      stringField(1, request.uri),
      ...headers.map(([name, value]) => messageField(2, [stringField(1, name), stringField(2, value)])),
      stringField(3, request.host),
      messageField(4, context),
      ...(request.tls ? [messageField(5, tlsFields(request.tls))] : []),
    ]),
  ];
}

function tlsFields(tls: NonNullable<EchoRequest['tls']>): Field[] {
  return [
    stringField(1, tls.version),
    stringField(2, tls.negotiatedProtocol ?? ''),
    stringField(3, tls.serverName),
    stringField(4, tls.cipherSuite),
    ...(tls.peerCertificates ?? []).map((certificate) => stringField(5, certificate)),
  ];
}
