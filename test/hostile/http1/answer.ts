/** Reads what a client got as RFC 9112 section 6.3 says, knowing nothing of how it was made. */
import { dechunk } from '../../../src/proxy/testing/backend.ts';

export interface Answer {
  readonly interim: readonly { readonly status: number; readonly lines: readonly string[] }[];
  /** 0 when no final response has begun. */
  readonly status: number;
  readonly lines: readonly string[];
  readonly body: string;
  /** The end of the body has come as its framing says. */
  readonly whole: boolean;
  /** Bytes behind it. */
  readonly rest: string;
}

interface Head {
  readonly status: number;
  readonly lines: readonly string[];
  readonly rest: string;
}

function takeHead(text: string): Head | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1] ?? Number.NaN);
  return { status, lines, rest: text.slice(end + 4) };
}

/** `ended`: the connection has come to an orderly end, which for some responses is the end of the body. */
export function readAnswer(text: string, toHead: boolean, ended: boolean): Answer {
  const interim: Answer['interim'][number][] = [];
  let head = takeHead(text);
  while (head && head.status < 200) {
    interim.push(head);
    head = takeHead(head.rest);
  }
  if (!head) return { interim, status: 0, lines: [], body: '', whole: false, rest: '' };
  return { interim, status: head.status, lines: head.lines, ...readBody(head, toHead, ended) };
}

type Body = Pick<Answer, 'body' | 'whole' | 'rest'>;

function readBody({ status, lines, rest }: Head, toHead: boolean, ended: boolean): Body {
  const value = (name: string) =>
    lines.find((line) => line.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2);
  if (toHead || status === 204 || status === 304) return { body: '', whole: true, rest };
  if (value('transfer-encoding')) return readChunks(rest);
  const length = value('content-length');
  if (length === undefined) return { body: rest, whole: ended, rest: '' };
  const size = Number(length);
  return { body: rest.slice(0, size), whole: rest.length >= size, rest: rest.slice(size) };
}

function readChunks(text: string): Body {
  const end = /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(text);
  const at = end ? end.index + end[0].length : text.length;
  const whole = end !== null;
  // What is there of a body that breaks off, as if it ended here.
  const body = whole ? dechunk(text.slice(0, at)).data : text === '' ? '' : dechunk(`${text}0\r\n\r\n`).data;
  return { body, whole, rest: text.slice(at) };
}
