import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultLogFormat } from '../../plan/log-format.ts';
import { logVariables } from '../annotations/document-log.ts';
import { logVariableNames, readLogFormat } from './log-format.ts';
import { readNginxConfig } from './read.ts';

const read = (data: Record<string, string>) => readNginxConfig(data, () => undefined);

function partsOf(text: string) {
  const format = readLogFormat(text);
  if (!format.ok) throw new Error(format.error);
  return format.value.parts;
}

/** What ingress-nginx has, from its documentation. */
const documented =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" ' +
  '$request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr ' +
  '$upstream_response_length $upstream_response_time $upstream_status $req_id';

describe('log-format-upstream', () => {
  it('is by default what ingress-nginx documents', () => {
    expect(partsOf(documented)).toEqual(defaultLogFormat.parts);
    expect(read({}).config.logFormat).toBeUndefined();
  });

  it('is texts and named fields', () => {
    expect(partsOf(`\${status}00 "$sent_http_X_Cache_Status" \${uri}-$upstream_http_server;`)).toEqual([
      ...[{ of: 'log', fact: 'status' }, '00 "', { of: 'sent-header', name: 'x-cache-status' }, '" '],
      ...[{ of: 'fact', fact: 'normal-path' }, '-', { of: 'response-header', name: 'server' }, ';'],
    ]);
  });

  it.each([
    ["{'\n  '$status' '}", ['{', { of: 'log', fact: 'status' }, '}']],
    ['{"a":\\"x\\"}\\t', ['{"a":"x"}\t']],
    ['a\r\n  b\\nc', ['a b c']],
    ["it\\'s", ["it's"]],
    ['', []],
  ])('%j is read as nginx reads it, and is one line', (text, parts) => {
    expect(partsOf(text)).toEqual(parts);
  });

  it.each([
    '$',
    'a $ b',
    `\${status`,
    `\${}`,
    '$-x',
    `\${${'a'.repeat(200)}}`,
    `$${'a'.repeat(200)}`,
    'x'.repeat(16_385),
    '$status'.repeat(257),
  ])('is left alone where it is none: %.20s', (text) => {
    const { config, problems } = read({ 'log-format-upstream': text });
    expect(config.logFormat).toBeUndefined();
    expect(problems.map(({ code, key }) => `${code} ${key}`)).toEqual(['FW5512 log-format-upstream']);
  });

  it('has - for variables that are not known, and says which', () => {
    const { config, problems } = read({ 'log-format-upstream': '[$geoip_city_x] $status$1' });
    expect(config.logFormat?.parts).toEqual(['[-] ', { of: 'log', fact: 'status' }, '-']);
    const message = 'log-format-upstream: not known, and - in lines: $geoip_city_x, $1';
    expect(problems).toEqual([{ code: 'FW5513', key: 'log-format-upstream', message }]);
    const many = Array.from({ length: 20 }, (_, i) => `$none${i}`).join(' ');
    expect(read({ 'log-format-upstream': many }).problems[0]!.message).toMatch(/\$none7 and 12 more$/);
  });

  it('knows no names of objects', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
      expect(partsOf(`$${name}`)).toEqual(['-']);
  });

  it('never throws, and never has a second line', () => {
    const pieces = fc.constantFrom(
      '$',
      '{',
      '}',
      "'",
      '"',
      '\\',
      '\n',
      '\r',
      ' ',
      'n',
      'status',
      'http_x',
      '_',
      'é',
      '\0',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (some) => {
        const format = readLogFormat(some.join(''));
        const texts = format.ok ? format.value.parts.filter((part) => typeof part === 'string') : [];
        expect(texts.join('')).not.toMatch(/[\r\n]/);
      }),
    );
  });

  it('takes long ones in no time', () => {
    const began = performance.now();
    for (const piece of ["'", "' ", '$a', '\\', ' \n', "\\' "]) readLogFormat(piece.repeat(16_384 / piece.length));
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('is documented by names that it knows', () => {
    const told = logVariables.flatMap(([names]) => names);
    expect([...told].sort()).toEqual(logVariableNames);
    for (const name of logVariableNames) expect(partsOf(`$${name.replace('NAME', 'x_y')}`)).not.toContain('-');
  });
});

describe('how values of the log are written', () => {
  it.each([
    [{ 'log-format-escape-json': 'true' }, 'json'],
    [{ 'log-format-escape-none': 'true' }, 'none'],
    [{ 'log-format-escape-json': 'true', 'log-format-escape-none': 'true' }, 'none'],
    [{ 'log-format-upstream': '$status' }, 'default'],
    [{ 'log-format-escape-json': 'false' }, undefined],
  ])('with %j: %s', (data, expected) => {
    expect(read(data as Record<string, string>).config.logFormat?.escape).toBe(expected);
  });

  it('knows ids of clients only where none are made', () => {
    const { logFormat } = read({ 'generate-request-id': 'false' }).config;
    expect(logFormat?.parts.at(-1)).toEqual({ of: 'header', name: 'x-request-id' });
  });

  it('refuses formats of connections, with the reason', () => {
    expect(read({ 'log-format-stream': '$protocol' }).problems).toMatchObject([
      { code: 'FW5513', key: 'log-format-stream' },
    ]);
  });
});
