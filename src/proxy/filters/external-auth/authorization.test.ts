import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authMessage } from '../../testing/authorization-server.ts';
import { type CheckRequest, decodeCheckResponse, encodeCheckRequest } from './authorization.ts';
import { bytesField, messageField, numberField, readFields } from './protobuf.ts';

const latin1 = (text: string) => Buffer.from(text).toString('latin1');

describe('messages of ext_authz', () => {
  it('are written as protobufjs reads them', () => {
    const text = fc.string({ maxLength: 200 });
    const place = fc.record({ address: text, port: fc.integer({ min: 0, max: 65_535 }) });
    fc.assert(
      fc.property(
        fc.record({
          source: place,
          destination: place,
          time: fc.integer({ min: 0, max: 4e12 }),
          id: text,
          method: text,
          headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 9 }), text).map((all) => Object.entries(all)),
          path: text,
          host: text,
          scheme: text,
          protocol: text,
          size: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
          body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
          serverName: text,
        }),
        (request) => {
          const written = encodeCheckRequest(asBytes(request as CheckRequest));
          const { attributes } = authMessage('CheckRequest').decode(written) as {
            attributes: { request: { http: Record<string, unknown>; time: Record<string, number> } };
          };
          const { http, time } = attributes.request;
          for (const name of ['id', 'method', 'path', 'host', 'scheme', 'protocol'] as const)
            expect(http[name] ?? '').toBe(request[name]);
          expect(http['size'] ?? 0).toBe(request.size);
          expect({ ...(http['headers'] as object) }).toEqual(Object.fromEntries(request.headers));
          const body = http['raw_body'] ?? http['body'] ?? '';
          expect(Buffer.from(body as string).equals(request.body)).toBe(true);
          expect((time['seconds'] ?? 0) * 1_000 + (time['nanos'] ?? 0) / 1e6).toBe(request.time);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are read as protobufjs writes them', () => {
    const text = fc.string({ maxLength: 50 });
    const option = fc.record({ name: text, value: text, append: fc.boolean() });
    fc.assert(
      fc.property(fc.array(option), fc.array(text), fc.integer(), (headers, removed, code) => {
        const options = headers.map(({ name, value, append }) => ({
          header: { key: name, value },
          append: { value: append },
        }));
        const written = authMessage('CheckResponse').encode({
          status: { code: 0 },
          ok_response: { headers: options, headers_to_remove: removed },
        });
        expect(decodeCheckResponse(written)).toEqual({
          admitted: true,
          headers: headers.map(({ name, value, append }) => ({
            name: latin1(name),
            value: latin1(value),
            action: append ? 'append' : 'set',
          })),
          headersToRemove: removed.map(latin1),
          responseHeaders: [],
          queryToSet: [],
          queryToRemove: [],
        });
        const denied = authMessage('CheckResponse').encode({ status: { code } });
        expect(decodeCheckResponse(denied)?.admitted).toBe(code === 0);
      }),
    );
  });

  it('are malformed or not, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const read = decodeCheckResponse(Buffer.from(bytes));
        expect(read === undefined || typeof read.admitted === 'boolean').toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('that are cut short are malformed, or another message', () => {
    const whole = messageField(1, [numberField(1, 16), bytesField(2, 'no')]);
    for (let end = 1; end < whole.length; end++) expect(readFields(whole.subarray(0, end))).toBeUndefined();
    expect(decodeCheckResponse(whole)).toMatchObject({ admitted: false, status: 403 });
  });

  it.each([
    ['a group', '0b0c'],
    ['a varint without end', `08${'ff'.repeat(11)}`],
    ['a field without number', '0001'],
    ['a length beyond the end', '0aff01'],
    ['a short fixed32', '0d0000'],
  ])('with %s are malformed', (_, hex) => {
    expect(readFields(Buffer.from(hex, 'hex'))).toBeUndefined();
  });
});

/** As heads are kept: one character per byte. */
function asBytes(request: CheckRequest): CheckRequest {
  const { id, method, path, host, scheme, protocol, serverName, headers } = request;
  const texts = Object.fromEntries(
    Object.entries({ id, method, path, host, scheme, protocol, serverName }).map(([name, text]) => [
      name,
      latin1(text),
    ]),
  );
  return { ...request, ...texts, headers: headers.map(([name, value]) => [latin1(name), latin1(value)]) };
}
