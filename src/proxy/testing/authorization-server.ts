/**
 * A server of `envoy.service.auth.v3.Authorization` for tests: @grpc/grpc-js, with messages read and written by the
 * protobufjs that comes with it, so that nothing of ours judges itself.
 */
import { createRequire } from 'node:module';
import { Server, ServerCredentials, type ServerUnaryCall, type ServiceError, type sendUnaryData } from '@grpc/grpc-js';

/** Fields and numbers as in the published files, as far as tests look at them. */
const proto = `
syntax = "proto3";
message BoolValue { bool value = 1; }
message HeaderValue { string key = 1; string value = 2; bytes raw_value = 3; }
message HeaderValueOption { HeaderValue header = 1; BoolValue append = 2; int32 append_action = 3; bool keep_empty_value = 4; }
message QueryParameter { string key = 1; string value = 2; }
message SocketAddress { int32 protocol = 1; string address = 2; uint32 port_value = 3; }
message Address { SocketAddress socket_address = 1; }
message Peer { Address address = 1; string service = 2; }
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message HttpRequest {
  string id = 1; string method = 2; map<string, string> headers = 3; string path = 4; string host = 5;
  string scheme = 6; string query = 7; string fragment = 8; int64 size = 9; string protocol = 10; string body = 11;
  bytes raw_body = 12;
}
message Request { Timestamp time = 1; HttpRequest http = 2; }
message TLSSession { string sni = 1; }
message AttributeContext {
  Peer source = 1; Peer destination = 2; Request request = 4; map<string, string> context_extensions = 10;
  TLSSession tls_session = 12;
}
message CheckRequest { AttributeContext attributes = 1; }
message Status { int32 code = 1; string message = 2; }
message HttpStatus { int32 code = 1; }
message DeniedHttpResponse { HttpStatus status = 1; repeated HeaderValueOption headers = 2; string body = 3; }
message OkHttpResponse {
  repeated HeaderValueOption headers = 2; repeated string headers_to_remove = 5;
  repeated HeaderValueOption response_headers_to_add = 6; repeated QueryParameter query_parameters_to_set = 7;
  repeated string query_parameters_to_remove = 8;
}
message CheckResponse { Status status = 1; DeniedHttpResponse denied_response = 2; OkHttpResponse ok_response = 3; }
`;

interface MessageType {
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  fromObject(object: object): object;
  toObject(message: object, options: object): object;
}
interface Protobufjs {
  parse(text: string, options: object): { root: { lookupType(name: string): MessageType } };
}

const own = createRequire(import.meta.url);
const protobufjs = createRequire(own.resolve('@grpc/grpc-js'))('protobufjs') as Protobufjs;
const { root } = protobufjs.parse(proto, { keepCase: true });

/** Reads and writes messages by name, in plain objects. */
export function authMessage(name: 'CheckRequest' | 'CheckResponse') {
  const type = root.lookupType(name);
  return {
    encode: (value: object) => Buffer.from(type.encode(type.fromObject(value)).finish()),
    decode: (bytes: Uint8Array) => type.toObject(type.decode(bytes), { longs: Number, defaults: false }),
  };
}

/** `attributes` of a CheckRequest, as far as tests look at them. */
export interface Attributes {
  readonly source?: { readonly address: { readonly socket_address: { address: string; port_value?: number } } };
  readonly destination?: { readonly address: { readonly socket_address: { address: string; port_value?: number } } };
  readonly request: {
    readonly time?: { readonly seconds: number };
    readonly http: {
      readonly id: string;
      readonly method: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly path: string;
      readonly host: string;
      readonly scheme: string;
      readonly protocol: string;
      readonly size?: number;
      readonly body?: string;
      readonly raw_body?: Buffer;
    };
  };
  readonly tls_session?: { readonly sni: string };
}

type Answer = object | Partial<ServiceError> | undefined;

export interface AuthorizationServer {
  readonly port: number;
  readonly asked: Attributes[];
  /** What is answered from now on: a CheckResponse, an error with its `code`, or nothing ever. */
  answer(answer: Answer | ((attributes: Attributes) => Answer)): void;
  close(): void;
}

/** Listens on the address, on a free port unless one is given. Lets everybody in until it is told otherwise. */
export async function authorizationServer(address: string, port = 0): Promise<AuthorizationServer> {
  const asked: Attributes[] = [];
  let next: Answer | ((attributes: Attributes) => Answer) = { status: { code: 0 } };
  const server = new Server();
  const [request, response] = [authMessage('CheckRequest'), authMessage('CheckResponse')];
  const check = {
    path: '/envoy.service.auth.v3.Authorization/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: request.encode,
    requestDeserialize: request.decode,
    responseSerialize: response.encode,
    responseDeserialize: response.decode,
  };
  server.addService(
    { check },
    {
      check(call: ServerUnaryCall<{ attributes: Attributes }, object>, reply: sendUnaryData<object>) {
        const { attributes } = call.request;
        asked.push(attributes);
        const answer = typeof next === 'function' ? (next as (of: Attributes) => Answer)(attributes) : next;
        if (!answer) return;
        if ('code' in answer) reply(answer as Partial<ServiceError>);
        else reply(null, answer);
      },
    },
  );
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${address}:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    );
  });
  return {
    port: bound,
    asked,
    answer(answer) {
      next = answer;
    },
    close: () => server.forceShutdown(),
  };
}
