/** A gRPC service without generated code: messages are bytes. In plain text (h2c) and over TLS. */
import type { AddressInfo } from 'node:net';
import {
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { selfSigned } from '../../../src/proxy/testing/certificates.ts';

const asBytes = (value: Buffer) => value;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/zoo.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: asBytes,
  requestDeserialize: asBytes,
  responseSerialize: asBytes,
  responseDeserialize: asBytes,
});

export const echoService = {
  unary: method('Unary', false, false),
  upload: method('Upload', true, false),
  download: method('Download', false, true),
  chat: method('Chat', true, true),
} satisfies ServiceDefinition;

export interface GrpcServers {
  readonly plainPort: number;
  readonly securePort: number;
  /** Calls that their clients cancelled. */
  cancelled(): number;
  close(): void;
}

export async function startGrpcServers(): Promise<GrpcServers> {
  let cancelled = 0;
  const handlers = echoHandlers(() => cancelled++);
  const { chain, key } = selfSigned('grpc', 'grpc.internal');
  const secure = ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(chain), private_key: Buffer.from(key) }]);
  const servers = [new Server(), new Server()];
  for (const server of servers) server.addService(echoService, handlers);
  const [plainPort, securePort] = await Promise.all([
    bind(servers[0]!, ServerCredentials.createInsecure()),
    bind(servers[1]!, secure),
  ]);
  return {
    plainPort,
    securePort,
    cancelled: () => cancelled,
    close() {
      for (const server of servers) server.forceShutdown();
    },
  };
}

function bind(server: Server, credentials: ServerCredentials): Promise<AddressInfo['port']> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

type Handlers = {
  readonly unary: handleUnaryCall<Buffer, Buffer>;
  readonly upload: handleClientStreamingCall<Buffer, Buffer>;
  readonly download: handleServerStreamingCall<Buffer, Buffer>;
  readonly chat: handleBidiStreamingCall<Buffer, Buffer>;
};

function echoHandlers(onCancelled: () => void): Handlers {
  return {
    /** `fail` fails with details, `hang` never answers; all else comes back, with the metadata that was sent. */
    unary(call, callback) {
      const said = call.request.toString('latin1');
      call.on('cancelled', onCancelled);
      if (said === 'hang') return;
      const trailer = new Metadata();
      trailer.set('x-trailer', 'the end');
      trailer.set('details-bin', Buffer.from([0, 1, 254, 255]));
      if (said === 'fail') {
        callback({ code: status.FAILED_PRECONDITION, details: 'nicht möglich: 100 %', metadata: trailer });
        return;
      }
      const initial = new Metadata();
      for (const value of call.metadata.get('x-asked')) initial.add('x-answered', value);
      for (const value of call.metadata.get('asked-bin')) initial.add('answered-bin', value);
      call.sendMetadata(initial);
      callback(null, call.request, trailer);
    },
    upload(call, callback) {
      let [messages, bytes] = [0, 0];
      call.on('data', (message: Buffer) => {
        messages++;
        bytes += message.length;
      });
      call.on('end', () => callback(null, Buffer.from(`${messages} messages, ${bytes} bytes`)));
    },
    /** `3 1000`: three messages of a thousand bytes. */
    download(call) {
      const [count = 0, size = 0] = call.request.toString().split(' ').map(Number);
      call.on('cancelled', onCancelled);
      let sent = 0;
      const more = () => {
        while (sent < count && !call.cancelled) if (!call.write(Buffer.alloc(size, sent++ & 0xff))) return;
        if (sent === count) call.end();
      };
      call.on('drain', more);
      more();
    },
    chat(call) {
      call.on('data', (message: Buffer) => call.write(message));
      call.on('end', () => call.end());
    },
  };
}
