/** Pages of a running `fairway dns`, on the door of its metrics. */
import { err, ok, type Result } from '../base/result.ts';

/** Pages are small; more than this is something else. */
const maxBytes = 16 * 1024 * 1024;
const timeoutMs = 10_000;

const howTo =
  'Is fairway dns running there, with prometheus in its Corefile? fairway up has no such door: serve its API with fairway dns and kubernetes { endpoint http://127.0.0.1:8001 }.';

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}

/** The body, read no further than the limit; undefined when it is longer. */
async function readBody(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** JSON of a page; the error is for people. */
export async function fetchPage(server: string, path: string): Promise<Result<unknown, string>> {
  if (!/^https?:/.test(server) || !URL.canParse(path, server))
    return err(`not a URL: ${server}; write http://HOST:PORT`);
  let status: number;
  let text: string | undefined;
  try {
    const response = await fetch(new URL(path, server), { signal: AbortSignal.timeout(timeoutMs) });
    status = response.status;
    text = await readBody(response);
  } catch (error) {
    return err(`cannot read ${server}: ${reasonOf(error)}\n${howTo}`);
  }
  if (text === undefined) return err(`${server}: the page is too large`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err(`${server} has no page ${path.split('?')[0]} (status ${status})\n${howTo}`);
  }
  if (status === 200) return ok(value);
  const said = (value as { error?: unknown } | null)?.error;
  return err(typeof said === 'string' ? `${server}: ${said}` : `${server} answered ${status}`);
}
