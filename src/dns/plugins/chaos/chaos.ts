/** Answers TXT queries of class CH about the server itself (RFC 4892). */
import { hostname } from 'node:os';
import { foldCase } from '../../wire/name.ts';
import { rcode, recordClass, recordType } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import { emptyAnswer } from '../../wire/response.ts';
import type { Plugin } from '../plugin.ts';

export function createChaos(version: string, authors: readonly string[]): Plugin {
  const texts: Readonly<Record<string, () => readonly string[]>> = {
    'version.bind.': () => [version],
    'version.server.': () => [version],
    'authors.bind.': () => authors,
    'hostname.bind.': () => [hostname()],
    'id.server.': () => [hostname()],
  };
  return {
    name: 'chaos',
    handle(context, next) {
      const { query } = context;
      if (query.class !== recordClass.CH || query.type !== recordType.TXT) return next(context);
      const name = nameOf(query);
      const key = foldCase(name);
      const found = Object.hasOwn(texts, key) ? texts[key]!() : undefined;
      if (!found) return next(context);
      const answers = found.map((text) => ({
        ...{ name, type: recordType.TXT, class: recordClass.CH, ttl: 0 },
        data: { kind: 'txt', strings: [Buffer.from(text, 'utf8').toString('latin1').slice(0, 255)] } as const,
      }));
      return { kind: 'answer', by: 'chaos', answer: { ...emptyAnswer(rcode.NOERROR), authoritative: true, answers } };
    },
  };
}
