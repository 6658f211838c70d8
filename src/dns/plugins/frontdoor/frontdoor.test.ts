import { describe, expect, it } from 'vitest';
import { createResponder } from '../../server/responder.ts';
import { encodeQuery } from '../../wire/ask.ts';
import { decodeMessage } from '../../wire/decode.ts';
import { recordType } from '../../wire/numbers.ts';
import { recordText } from '../../wire/records.ts';
import { compileChain } from '../plugin.ts';
import { createFrontDoor } from './frontdoor.ts';

const frontdoor = createFrontDoor();
const responder = createResponder({
  chain: compileChain([frontdoor]),
  recursionAvailable: false,
  onError(error) {
    throw error;
  },
});

async function ask(name: string, type: number = recordType.A) {
  const bytes = await responder.handle(encodeQuery(name, type), { address: '', port: 0, protocol: 'local' });
  const decoded = decodeMessage(bytes as Uint8Array);
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.value;
}

const show = async (name: string, type?: number) => {
  const { rcode, answers } = await ask(name, type);
  return answers.length > 0 ? answers.map(recordText) : rcode;
};

describe('frontdoor', () => {
  it('answers exact names and wildcards, the longest match first', async () => {
    frontdoor.changeNames(
      new Map([
        ['api.example.com', ['127.250.0.1', 'fd00::1']],
        ['*.example.com', ['127.250.0.2']],
        ['*.eu.example.com', ['127.250.0.3']],
      ]),
    );
    expect(await show('API.example.com')).toEqual(['API.example.com. 5 A 127.250.0.1']);
    expect(await show('api.example.com', recordType.AAAA)).toEqual(['api.example.com. 5 AAAA fd00::1']);
    expect(await show('x.example.com')).toEqual(['x.example.com. 5 A 127.250.0.2']);
    expect(await show('a.b.example.com')).toEqual(['a.b.example.com. 5 A 127.250.0.2']);
    expect(await show('x.eu.example.com')).toEqual(['x.eu.example.com. 5 A 127.250.0.3']);
    expect(await show('example.com')).toBe(5);
    expect(await show('eu.example.org')).toBe(5);
  });

  it('says that a name has no record of a type, with a lifetime', async () => {
    frontdoor.changeNames(new Map([['api.example.com', ['127.250.0.1']]]));
    const { rcode, authoritative, authority } = await ask('api.example.com', recordType.AAAA);
    expect({ rcode, authoritative }).toEqual({ rcode: 0, authoritative: true });
    expect(authority.map(recordText)).toEqual([
      'api.example.com. 5 SOA api.example.com. hostmaster.api.example.com. 1 7200 1800 86400 5',
    ]);
  });

  it('forgets names that are gone, keeps those of which nothing is said, and names those that cannot be', async () => {
    frontdoor.changeNames(
      new Map([
        ['old.example.com', ['127.250.0.1']],
        ['*.old.example.com', ['127.250.0.1']],
        ['stays.example.net', ['127.250.0.4']],
      ]),
    );
    const findings = frontdoor.changeNames(
      new Map([
        ['old.example.com', []],
        ['*.old.example.com', []],
        ['*.example.com', []],
        ['new.example.com', ['127.250.0.1', 'not an address']],
        ['bad..name', ['127.250.0.1']],
      ]),
    );
    expect(findings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'FW4007 "bad..name" is not a host name',
    ]);
    expect(await show('old.example.com')).toBe(5);
    expect(await show('x.old.example.com')).toBe(5);
    expect(await show('stays.example.net')).toEqual(['stays.example.net. 5 A 127.250.0.4']);
    expect(await show('new.example.com')).toEqual(['new.example.com. 5 A 127.250.0.1']);
    expect(frontdoor.changeNames(new Map([['bad..name', []]]))).toEqual([]);
  });
});
