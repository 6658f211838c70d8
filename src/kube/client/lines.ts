/** Cuts a stream of bytes into lines, with a bound on the length of one. */

const newline = 10;

export interface LineCutter {
  /** Lines that the chunk completes, in order, without their ends; blank ones too. False: a line is too long. */
  push(chunk: Buffer, onLine: (line: string) => void): boolean;
  /** Bytes of the line that is not complete. */
  readonly pending: number;
}

export function createLineCutter(maxBytes: number): LineCutter {
  let parts: Buffer[] = [];
  let pending = 0;

  function complete(tail: Buffer): string {
    if (pending === 0) return tail.toString('utf8');
    const line = Buffer.concat([...parts, tail]).toString('utf8');
    parts = [];
    pending = 0;
    return line;
  }

  return {
    get pending() {
      return pending;
    },
    push(chunk, onLine) {
      let start = 0;
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        if (pending + end - start > maxBytes) return false;
        onLine(complete(chunk.subarray(start, end)));
        start = end + 1;
      }
      if (start === chunk.length) return true;
      const rest = chunk.subarray(start);
      parts.push(rest);
      pending += rest.length;
      // A line that comes byte by byte must not cost a buffer for each.
      if (parts.length > 1024) parts = [Buffer.concat(parts)];
      return pending <= maxBytes;
    },
  };
}
