/** Chunked bodies (RFC 9112 section 7.1), as tests need them. */

/** Data of a chunked body that begins at `start`, and where it ends; undefined while it is not whole. No trailers. */
export function chunksOf(text: string, start: number): { data: string; end: number } | undefined {
  let data = '';
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    const next = line + 2 + size + 2;
    if (text.length < next) return undefined;
    if (size === 0) return { data, end: next };
    data += text.slice(line + 2, line + 2 + size);
    at = next;
  }
}
