import { expect, it } from 'vitest';
import { grpcProtocolOf, protocolOf } from './app-protocol.ts';

it.each([
  [undefined, 'http1', 'h2c'],
  ['http', 'http1', 'h2c'],
  ['kubernetes.io/h2c', 'h2c', 'h2c'],
  ['gRPC', 'h2c', 'h2c'],
  ['https', 'https', 'h2'],
  ['grpcs', 'h2', 'h2'],
  ['kubernetes.io/ws', 'http1', undefined],
  ['wss', 'https', undefined],
  ['redis', undefined, undefined],
])('%s: %s for HTTP, %s for gRPC', (name, http, grpc) => {
  expect([protocolOf(name), grpcProtocolOf(name)]).toEqual([http, grpc]);
});
