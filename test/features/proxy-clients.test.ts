/**
 * Clients as they are found in the wild, through `fairway up`: curl, wrk, openssl, Node.js programs, browsers and gRPC, over
 * HTTP/1.1, HTTP/2 and TLS.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import { hasOpenssl } from '../../src/proxy/testing/certificates.ts';
import { canBind } from '../support/door.ts';
import { browserSuite } from './proxy-clients/browser.ts';
import { curlSuite } from './proxy-clients/curl.ts';
import { grpcSuite } from './proxy-clients/grpc.ts';
import { http2Suite } from './proxy-clients/http2.ts';
import { nodeSuite } from './proxy-clients/node.ts';
import { opensslSuite } from './proxy-clients/openssl.ts';
import { openZoo, type Zoo } from './proxy-clients/zoo.ts';

const able = canBind && hasOpenssl();
if (!able) console.log('skipped: needs Linux, root and openssl');

describe.skipIf(!able)('clients', () => {
  let opened: Zoo | undefined;
  const zoo = () => opened!;
  beforeAll(async () => {
    opened = await openZoo();
  });
  afterAll(() => opened?.close());

  for (const suite of [curlSuite, opensslSuite, nodeSuite, http2Suite, grpcSuite, browserSuite]) suite(zoo);
});
