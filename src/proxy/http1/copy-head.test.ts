import { expect, it } from 'vitest';
import { copyRequestHead, copyResponseHead, holdRequestHead, holdResponseHead } from './copy-head.ts';
import { addField, removeField, writeFields } from './fields.ts';
import { createRequestHead, parseRequestHead } from './request.ts';
import { createResponseHead, parseResponseHead } from './response.ts';

const limits = { maxHeadBytes: 4_096, maxHeaders: 20, maxTargetBytes: 1_000 };
const parse = (text: string, head = createRequestHead(20)) => {
  expect(parseRequestHead(Buffer.from(text, 'latin1'), head, limits)).toBeUndefined();
  return head;
};
const rich = [
  'POST http://b.example/x?y=1 HTTP/1.1',
  'Host: a.example',
  'Content-Length: 5',
  'Connection: keep-alive, upgrade, te, x-mine',
  'Upgrade: websocket',
  'TE: trailers',
  'Expect: 100-continue',
  'X-Mine: 1',
  'Cookie: a',
  'Cookie: b',
];
/** All but what finds fields, which belongs to a record. */
const values = ({ fields, headers: _, checkedHost: __, ...rest }: ReturnType<typeof createRequestHead>) => ({
  ...rest,
  lines: writeFields(fields),
  cookie: fields.count,
});

it('a head of a request survives the next one in the same record, with what was changed', () => {
  const shared = parse(`${rich.join('\r\n')}\r\n\r\n`);
  removeField(shared.fields, 'x-mine');
  addField(shared.fields, 'X-New', '2');
  const before = values(shared);
  const held = holdRequestHead(shared);
  parse('GET / HTTP/1.0\r\nX: y\r\n\r\n', shared);
  expect(values(held)).toEqual(before);
  expect(held.headers('cookie')).toBe('a,b');
  addField(held.fields, 'X-Late', '3');
  copyRequestHead(held, shared);
  expect(values(shared)).toEqual({ ...before, lines: `${before.lines}X-Late: 3\r\n` });
  expect(shared.headers('cookie')).toBe('a,b');
  // A copy, and not the same arrays.
  parse('GET / HTTP/1.0\r\nX: y\r\n\r\n', shared);
  expect(held.headers('cookie')).toBe('a,b');
  expect(writeFields(held.fields)).toContain('X-Late: 3');
});

it('so does one of a response', () => {
  const shared = createResponseHead(20);
  const read = (text: string) => parseResponseHead(Buffer.from(text), text.length, shared, false, 4_096);
  expect(read('HTTP/1.1 503 Oh dear\r\nContent-Length: 3\r\nX-A: 1\r\n\r\nabc')).toBe('complete');
  const held = holdResponseHead(shared);
  expect(read('HTTP/1.0 200\r\n\r\n')).toBe('complete');
  expect(held).toMatchObject({ status: 503, contentLength: 3 });
  copyResponseHead(held, shared);
  expect(shared).toMatchObject({ status: 503, contentLength: 3, minor: 1 });
  expect(writeFields(shared.fields)).toBe('Content-Length: 3\r\nX-A: 1\r\n');
});
