/** What every request that a proxy forwards must look like, whatever it came from: one reading and no other. */
import { dechunk, type SeenRequest } from '../../../src/proxy/testing/backend.ts';

const LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [!-"$-~]+ HTTP\/1\.1$/;
const FIELD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*$/;

const valuesOf = ({ lines }: SeenRequest, name: string) =>
  lines.filter((line) => line.toLowerCase().startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());

/** What is doubtful about a forwarded request; empty for most. */
export function doubts(request: SeenRequest): string[] {
  const { line, lines } = request;
  const lengths = valuesOf(request, 'content-length');
  const codings = valuesOf(request, 'transfer-encoding');
  const findings: [boolean, string][] = [
    [LINE.test(line), `request line ${JSON.stringify(line)}`],
    ...lines.map((field): [boolean, string] => [FIELD.test(field), `field ${JSON.stringify(field)}`]),
    [valuesOf(request, 'host').length === 1, 'not one Host'],
    [lengths.length + codings.length <= 1, 'framed twice'],
    [lengths.every((value) => /^(0|[1-9]\d*)$/.test(value)), 'length in unusual digits'],
    [codings.every((value) => value === 'chunked'), 'coding but chunked'],
    [
      valuesOf(request, 'connection').every((value) => /^(upgrade|te|upgrade, te)$/i.test(value)),
      'Connection passed on',
    ],
  ];
  return findings.filter(([good]) => !good).map(([, finding]) => finding);
}

/** Body and trailer section without framing. */
export function contentOf(request: SeenRequest): { readonly data: string; readonly trailer: string } {
  return valuesOf(request, 'transfer-encoding').length > 0
    ? dechunk(request.body)
    : { data: request.body, trailer: '' };
}
