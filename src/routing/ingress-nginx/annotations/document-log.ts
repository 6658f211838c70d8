/** The section of docs/ingress-nginx.md about lines of the access log. */
import { wrapped } from './document-start.ts';

/** Variables that only lines of the log know, and what they are here; several that say the same in one row. */
export const logVariables: readonly (readonly [names: readonly string[], text: string])[] = [
  [['time_local', 'time_iso8601', 'msec'], 'when the request was over; in UTC'],
  [['request_time'], 'seconds from the end of its head, where nginx counts from its first byte'],
  [['request'], 'method, target and version; `-` where the request could not be read, of which nginx has the bytes. Of a target with a host, its path'], // biome-ignore format: one line
  [['request_length'], 'bytes of head and body. Chunks and frames of HTTP/2 are not counted, only what is in them'],
  [['status'], '499 for a client that left before there was one'],
  [['body_bytes_sent', 'bytes_sent'], 'bytes of the body, and with the head. Chunks and frames of HTTP/2 are not counted, only what is in them'], // biome-ignore format: one line
  [['remote_user'], 'name in `Authorization: Basic`, whether or not anybody has checked the password'],
  [['remote_port', 'proxy_protocol_addr'], 'port of the client; its address where a balancer has announced it'],
  [['ssl_protocol', 'ssl_cipher', 'ssl_server_name'], 'of the connection with the client'],
  [['server_name'], 'the host of the Ingress; `_` where there is none'],
  [['namespace', 'ingress_name', 'service_name', 'service_port'], 'of the Ingress and the backend of its path; empty where nothing routes the request'], // biome-ignore format: one line
  [['proxy_upstream_name', 'proxy_host'], '`namespace-service-port`, the port as the Ingress has it; `-` where no Service answers, also where ingress-nginx has `upstream-default-backend`'], // biome-ignore format: one line
  [['proxy_alternative_upstream_name'], 'the same of the canary, where the request went there'],
  [['upstream_addr', 'upstream_status'], 'of each endpoint that was tried, with `, ` between them. 502 is one that could not be reached or gave no answer, 504 one that took too long'], // biome-ignore format: one line
  [['upstream_connect_time', 'upstream_header_time', 'upstream_response_time'], 'seconds, likewise; until the client had all of it where it took longer than the backend'], // biome-ignore format: one line
  [['upstream_response_length'], 'bytes of bodies, likewise, without those of chunks'],
  [['upstream_http_NAME', 'sent_http_NAME'], 'headers of the response: as the last backend sent them, and as the client got them'], // biome-ignore format: one line
];

const notes = [
  'Values are escaped, and one more character in them is: the one that follows the variable in the format, unless it is a letter or a digit (`]` in `[$http_x]`, a blank in `$remote_user `). With `log-format-escape-json`, characters beyond ASCII are `\\u00e9`. With `log-format-escape-none`, quotes, backslashes, control characters and bytes beyond ASCII are escaped as by default. No request can forge a field or a line.', // biome-ignore format: one line
  '`$uri`, `$args` and what else is said of a request are those that it came with: a `rewrite-target` does not show.',
  'Questions to an auth service, to mirrors and for pages of errors are not among the endpoints of `$upstream_addr`; nginx has the latter after a colon.', // biome-ignore format: one line
  'The format holds for all Ingresses, whatever their class. Lines of Gateways have the default of ingress-nginx.', // biome-ignore format: one line
  'Connections of `tcp-services` and `udp-services` have `[$remote_addr] [$time_local] $protocol $status $bytes_sent $bytes_received $session_time`.', // biome-ignore format: one line
];

const code = (names: readonly string[]) => names.map((name) => `\`$${name}\``).join(', ');

export const logLines = `## Lines of the access log

\`--access-log FILE --access-log-format nginx\` writes lines as \`log-format-upstream\` says, or the default of ingress-nginx:
what reads them need not be changed. test/oracle compares them with lines of nginx. A format may have the
[variables](#variables) of snippets and these:

| variable | is |
|---|---|
${logVariables.map(([names, text]) => `| ${code(names)} | ${text} |`).join('\n')}

${notes.map((text) => `- ${wrapped(text, '  ')}`).join('\n')}`;
