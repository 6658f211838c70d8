/** Compares what has come of a case with what its row says. */
import type { Expectation, Http2Case, Seen } from './case.ts';
import { code, textOf } from './frames.ts';
import type { Peer } from './wire.ts';

export interface Outcome {
  readonly peer: Peer;
  /** PING and another request were answered afterwards. */
  readonly lives: boolean;
  readonly seen: readonly SeenByBackend[];
}

export interface SeenByBackend {
  readonly line: string;
  readonly lines: readonly string[];
  readonly data: string;
  readonly trailer: string;
  /** What is doubtful about it as an HTTP/1.1 request. */
  readonly doubts: readonly string[];
}

const names = (codes: readonly number[]) => codes.map((one) => textOf(code, one)).join(' or ');

/** What is wrong with an outcome, in words; undefined if nothing is. */
export function complaint(one: Http2Case, outcome: Outcome): string | undefined {
  const lives = outcome.lives || (one.last === true && (outcome.peer.goaway() ?? code.none) === code.none);
  const wrong = judgements[one.expect.kind](one.expect as never, { ...outcome, lives }) ?? one.check?.(outcome.peer);
  const faults = outcome.peer.faults;
  if (wrong === undefined && faults.length === 0) return undefined;
  return `${wrong ?? 'bad frames'}; got ${outcome.peer.summary() || 'nothing'}${outcome.lives ? ', lives' : ''}`;
}

type Judge<Kind extends Expectation['kind']> = (
  expected: Extract<Expectation, { kind: Kind }>,
  outcome: Outcome,
) => string | undefined;

const judgements: { readonly [Kind in Expectation['kind']]: Judge<Kind> } = {
  connection({ codes, silently }, { peer }) {
    const goaway = peer.goaway();
    if (goaway === undefined && !(silently && peer.closed())) return `no GOAWAY ${names(codes)}`;
    if (goaway !== undefined && !codes.includes(goaway)) return `not GOAWAY ${names(codes)}`;
    return peer.closed() ? undefined : 'not closed after GOAWAY';
  },
  stream({ stream, codes, orNothing }, { peer, lives }) {
    const goaway = peer.goaway();
    if (goaway !== undefined) return codes.includes(goaway) ? undefined : `not GOAWAY ${names(codes)}`;
    const { reset } = peer.stream(stream);
    const done = reset === undefined ? orNothing : codes.includes(reset);
    return done ? alive(lives) : `not RST_STREAM ${names(codes)}`;
  },
  malformed({ stream, statuses }, { peer, lives }) {
    const goaway = peer.goaway();
    if (goaway !== undefined) return goaway === code.protocol ? undefined : 'not GOAWAY protocol';
    const { status, reset, ended } = peer.stream(stream);
    if (status !== 0 && !statuses.includes(status)) return `not one of the statuses ${statuses}`;
    if (reset === code.protocol) return alive(lives);
    if (status === 0) return 'not RST_STREAM protocol';
    return ended && (reset === undefined || reset === code.none) ? alive(lives) : 'the answer has no end';
  },
  answer({ stream, status }, { peer, lives }) {
    const got = peer.stream(stream);
    if (got.status !== status || !got.ended) return `not ${status}`;
    if (got.reset !== undefined && got.reset !== code.none) return 'reset after its answer';
    return alive(lives);
  },
  ignored: (_, { lives }) => alive(lives),
};

const alive = (lives: boolean) => (lives ? undefined : 'the connection does not work any more');

/** What is wrong with what the backend got, in words; undefined if nothing is. */
export function seenComplaint({ seen: wanted, race }: Http2Case, { seen }: Outcome): string | undefined {
  const doubts = seen.flatMap((one) => one.doubts);
  if (doubts.length > 0) return `the backend got ${doubts.join(', ')}`;
  if (seen.length > wanted.length || (seen.length < wanted.length && !race))
    return `the backend got ${seen.length} requests: ${seen.map(({ line }) => line).join(', ')}`;
  return seen.map((one, i) => missing(wanted[i]!, one)).find((text) => text !== undefined);
}

function missing({ line, data, has = [], lacks, trailer }: Seen, got: SeenByBackend): string | undefined {
  const lines = got.lines.map((one) => one.replace(/^[^:]+: */, (name) => `${name.trimEnd().toLowerCase()} `));
  if (line !== undefined && got.line !== line) return `the backend got ${got.line}`;
  if (data !== undefined && got.data !== data)
    return `the backend got the body ${JSON.stringify(got.data.slice(0, 99))}`;
  const absent = has.find((one) => !lines.includes(one));
  if (absent !== undefined) return `the backend did not get ${absent}, but ${lines.join(', ')}`;
  if (lacks && lines.some((one) => lacks.test(one))) return `the backend got ${lines.find((one) => lacks.test(one))}`;
  if (trailer !== undefined && got.trailer.trim() !== trailer) return `the backend got the trailers ${got.trailer}`;
  return undefined;
}
