/** Answers compared with those of Knot DNS for the same zone file, plain and signed with NSEC. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';
import type { Message, ResourceRecord } from '../../wire/message.ts';
import { rcodeName, recordType } from '../../wire/numbers.ts';
import { recordText } from '../../wire/records.ts';
import { askAt, type Knot, type Place, type Question, startKnot, transferText, withoutKnot } from './knot.fixture.ts';

const fixture = join(import.meta.dirname, 'fixtures', 'db.example.org');
if (withoutKnot) console.warn(`not compared with Knot DNS: ${withoutKnot}`);

/** The same for Knot, which has no $GENERATE, wants absolute origins, and gets one file. */
const zoneText = readFileSync(fixture, 'utf8')
  .replace(/^\$GENERATE.*$/m, [1, 2, 3].map((i) => `gen${i} A 192.0.2.${100 + i}`).join('\n'))
  .replace(/^\$INCLUDE.*$/m, readFileSync(join(import.meta.dirname, 'fixtures', 'included.zone'), 'utf8'))
  .replace('$ORIGIN inc\n', '$ORIGIN inc.example.org.\n');

const open: { stop(): Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(open.map((server) => server.stop()));
});

const texts = (records: readonly ResourceRecord[]) => records.map((r) => recordText(r).toLowerCase()).sort();
const isNs = ({ name, type, data }: ResourceRecord) =>
  name.toLowerCase() === 'example.org.' &&
  (type === recordType.NS || (type === recordType.RRSIG && data.kind === 'opaque' && data.bytes[1] === recordType.NS));

/** What must be the same. Knot leaves out the name servers of the zone, which CoreDNS adds to positive answers. */
function essence(message: Message) {
  return {
    rcode: rcodeName(message.rcode),
    authoritative: message.authoritative,
    answers: texts(message.answers),
    authority: texts(message.authority.filter((record) => !isNs(record))),
  };
}

const names = [
  ...['', 'ns1', 'mail', 'www', 'web', 'out', 'ent', 'deep.ent', 'wild', 'a.wild', 'a.b.wild', '*.wild', 'below.wild'],
  ...['host.below.wild', 'x.host.below.wild', 'x.below.wild', 'a.wc', 'a.wmx', 'odd', '*.odd', 'a.odd', 'under.*.odd'],
  ...['sub', 'ns.sub', 'a.b.sub', 'sec', 'x.sec', 'tree', 'x.tree', 'y.tree', 'far', 'x.far', '_tcp', '_sip._tcp'],
  ...['srv2._tcp', 'svc', 'alias', 'naptr', 'into', 'gone', 'tow', 'unk', 'unka', 'hin', 'tlsa', 'ssh', 'escape\\.dot'],
  ...['nope', 'a.b.nope', 'gen2', 'inc', 'zz', '\\000', 'EXAMPLE', 'WwW'],
];
const types = ['A', 'AAAA', 'NS', 'SOA', 'CNAME', 'MX', 'TXT', 'DS'];
/** Types that only some names have. */
const rare = [
  ...['svc HTTPS', 'alias HTTPS', '_sip._tcp SRV', 'srv2._tcp SRV', 'naptr NAPTR', ' CAA', 'hin HINFO', 'tlsa TLSA'],
  ...['unk TYPE65280', 'ssh SSHFP', 'tree DNAME', 'x.tree DNAME', 'far DNAME', 'web PTR', 'into HTTPS', 'a.wc SRV'],
];

/** Over UDP, and over TCP what does not fit. */
async function ask(place: Place, question: Question) {
  const short = await askAt(place, question);
  return essence(short.truncated ? await askAt(place, { ...question, tcp: true }) : short);
}

async function compare(knot: Place, server: Place, dnssec: boolean): Promise<void> {
  const wanted = [...names.flatMap((name) => types.map((type) => `${name} ${type}`)), ...rare];
  for (const text of wanted) {
    const [label = '', type = ''] = text.split(' ');
    // A wildcard that has only names below it: Knot leaves out the proof that it has no records.
    if (dnssec && label === 'a.odd') continue;
    const question: Question = { name: `${label}${label && '.'}example.org.`, type, dnssec };
    const [judged, found] = await Promise.all([ask(knot, question), ask(server, question)]);
    if (!isDeepStrictEqual(judged, found)) expect({ question, ...found }).toEqual({ question, ...judged });
  }
  expect(wanted.length).toBeGreaterThan(400);
}

async function serveFile(file: string): Promise<Place & { server: TestServer }> {
  const server = await serveCorefile(`example.org {\n file ${file}\n}\n`, { address: '127.82.1.1' });
  open.push(server);
  return { server, address: '127.82.1.1', port: server.port() };
}

describe.skipIf(withoutKnot)('answers from a zone file, as Knot DNS gives them', () => {
  let knot: Knot;
  beforeAll(async () => {
    knot = await startKnot({
      address: '127.82.1.2',
      zones: { 'example.org': zoneText },
      zoneLines: ['semantic-checks: off'],
    });
    open.push(knot);
  });

  it('for every name and type of a plain zone', async () => {
    await compare(knot, await serveFile(fixture), false);
  });
});

describe.skipIf(withoutKnot)('answers from a zone that Knot DNS signed', () => {
  let knot: Knot;
  let file: string;
  beforeAll(async () => {
    knot = await startKnot({
      address: '127.82.1.3',
      zones: { 'example.org': zoneText },
      sections: () =>
        'acl:\n  - id: all\n    address: 127.0.0.0/8\n    action: transfer\npolicy:\n  - id: nsec\n    algorithm: ecdsap256sha256\n    single-type-signing: on\n    nsec3: off',
      zoneLines: ['semantic-checks: off', 'acl: all', 'dnssec-signing: on', 'dnssec-policy: nsec'],
    });
    open.push(knot);
    file = join(mkdtempSync(join(tmpdir(), 'signed-')), 'db');
    writeFileSync(file, transferText(knot, 'example.org'));
  });

  it('with proofs, for every name and type', async () => {
    await compare(knot, await serveFile(file), true);
  });

  it('without them, for every name and type', async () => {
    await compare(knot, await serveFile(file), false);
  });
});
