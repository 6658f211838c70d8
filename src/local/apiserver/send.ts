/** Replies on the wire. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { writeYaml } from '../../kube/manifests/yaml.ts';
import type { JsonObject } from '../../kube/patch/json.ts';
import { type Call, flag, type Reply } from './call.ts';

/** Indented JSON, for people: on request, and for the programs that people look through. */
export function wantsPretty(call: Call): boolean {
  if (call.query.has('pretty')) return flag(call.query, 'pretty');
  return /^(curl|Wget|Mozilla)\b/.test(call.request.headers['user-agent'] ?? '');
}

/** Longest text of all warnings together, as in Kubernetes. */
const WARNING_BUDGET = 4096;

/** `Warning: 299 - "…"` (RFC 7234, section 5.5), as kubectl prints them. */
export function warningHeaders(warnings: readonly string[]): string[] {
  let budget = WARNING_BUDGET;
  return warnings.flatMap((warning) => {
    // Header values are Latin-1 without control characters.
    const clean = warning
      .replace(/[\r\n\t]+/g, ' ')
      .replace(/[^\x20-\x7e]/g, '?')
      .replace(/["\\]/g, '\\$&');
    budget -= clean.length;
    return budget >= 0 ? [`299 - "${clean}"`] : [];
  });
}

function encode(call: Call, body: JsonObject, contentType: string | undefined): [type: string, text: string] {
  if (!contentType && call.accept.format === 'yaml') return ['application/yaml', writeYaml(body)];
  return [contentType ?? 'application/json', `${JSON.stringify(body, null, wantsPretty(call) ? 2 : 0)}\n`];
}

export async function send(call: Call, reply: Reply, response: ServerResponse): Promise<void> {
  if (reply.type === 'stream') return reply.run(response);
  const headers: OutgoingHttpHeaders = { 'cache-control': 'no-cache, private', ...reply.headers };
  if (reply.type === 'bytes') {
    response.writeHead(reply.code, {
      ...headers,
      'content-type': reply.contentType,
      'content-length': Buffer.byteLength(reply.body),
    });
    response.end(reply.body);
    return;
  }
  const [type, text] = encode(call, reply.body, reply.contentType);
  const warnings = warningHeaders(reply.warnings ?? []);
  if (warnings.length > 0) response.setHeader('warning', warnings);
  response.writeHead(reply.code, {
    ...headers,
    'content-type': type,
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
