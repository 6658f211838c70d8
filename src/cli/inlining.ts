/** How much V8 inlines while a role starts. */
import { setFlagsFromString } from 'node:v8';

/** Bytes of bytecode that V8 copies into a function that it optimises, at most: its own default, and ours at a start. */
const usual = 920;
const little = 300;

/**
 * A start runs much code for a few seconds, and V8's compiler threads optimise what is hot at once. With 5,000 routes they
 * worked for 7 seconds beside 8 of the main thread, and took its turns on a machine of two cores. Most of that went
 * into what V8 copies into each function: with less of it they need 5 seconds, `fairway up` is ready a second earlier,
 * and its main thread needs no more. Returns what ends it, for the code that runs for long after the start. The flag is read
 * for each function that is optimised; a command line that sets it itself is left alone.
 */
export function inlineLittle(
  given: string = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' '),
): () => void {
  if (/inlined[-_]bytecode[-_]size[-_]cumulative/.test(given)) return () => {};
  const allow = (bytes: number) => setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${bytes}`);
  allow(little);
  return () => allow(usual);
}
