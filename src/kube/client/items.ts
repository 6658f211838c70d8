/**
 * Cuts the JSON of a Kubernetes list into its items while it comes: each object of `items` is handed over as soon as
 * its last byte is there, so that a page of any size costs the memory of one object. What stands around the items
 * (metadata, errors) is kept and given back at the end.
 */

export interface ItemCutter {
  /** Items that the chunk completes, in order, as JSON. False: an item or the rest is too long, or this is no list. */
  push(chunk: Buffer, onItem: (json: string) => void): boolean;
  /** The JSON around the items, which are left out: `{"kind":"PodList","metadata":{…},"items":[]}`. */
  rest(): string;
}

export interface ItemBounds {
  /** Bytes of one item. */
  readonly maxItemBytes: number;
  /** Bytes of what stands around the items. Default 1 MiB. */
  readonly maxRestBytes?: number;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const open = { brace: 0x7b, bracket: 0x5b };
const close = { brace: 0x7d, bracket: 0x5d };
/** The key of the items, as it ends. */
const itemsKey = 'items"';

/** Pieces of a text that comes in chunks, with a bound. */
function createPieces(maxBytes: number) {
  let parts: Buffer[] = [];
  let bytes = 0;
  return {
    /** False: too long. */
    add(part: Buffer): boolean {
      parts.push(part);
      bytes += part.length;
      // A text that comes byte by byte must not cost a buffer for each.
      if (parts.length > 1024) parts = [Buffer.concat(parts)];
      return bytes <= maxBytes;
    },
    take(): string {
      const text = (parts.length === 1 ? parts[0]! : Buffer.concat(parts)).toString('utf8');
      parts = [];
      bytes = 0;
      return text;
    },
  };
}

export function createItemCutter({ maxItemBytes, maxRestBytes = 1024 * 1024 }: ItemBounds): ItemCutter {
  const around = createPieces(maxRestBytes);
  const item = createPieces(maxItemBytes);
  /** Brackets and braces that are open; 1 inside the list object, 2 between items. */
  let depth = 0;
  let inString = false;
  let escaped = false;
  let inItems = false;
  /** The next string at depth 1 is a key; the one that was read last, with its closing quote. */
  let keyNext = false;
  let key = '';
  let inKey = false;

  function readString(byte: number): void {
    if (escaped) escaped = false;
    else if (byte === backslash) escaped = true;
    else if (byte === quote) inString = false;
  }

  /** One byte of the list object itself, outside its items. */
  function readAround(byte: number): void {
    if (inString) {
      if (inKey && key.length <= itemsKey.length) key += String.fromCharCode(byte);
      readString(byte);
    } else if (byte === quote) {
      inString = true;
      inKey = keyNext && depth === 1;
      if (inKey) key = '';
    } else if (byte === open.brace || byte === open.bracket) {
      inItems = byte === open.bracket && depth === 1 && key === itemsKey;
      if (++depth === 1) keyNext = true;
    } else if (byte === close.brace || byte === close.bracket) depth--;
    else if (depth === 1 && (byte === comma || byte === colon)) keyNext = byte === comma;
  }

  /** Reads from `start` until the items begin; gives the place behind. -1: too long. */
  function skipAround(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length && !inItems) readAround(chunk[at++]!);
    return at > start && !around.add(chunk.subarray(start, at)) ? -1 : at;
  }

  /** Reads to the end of an item that begins or goes on at `start`; gives the place behind, or the end of the chunk. */
  function skipItem(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (inString) readString(byte);
      else if (byte === quote) inString = true;
      else if (byte === open.brace || byte === open.bracket) depth++;
      else if ((byte === close.brace || byte === close.bracket) && --depth === 2) return at + 1;
    }
    return chunk.length;
  }

  /** The next item's first byte, or the end of the items, or of the chunk. -1: something else stands there. */
  function skipBetween(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte === open.brace || byte === close.bracket) return at;
      if (byte > 0x20 && byte !== comma) return -1;
    }
    return chunk.length;
  }

  return {
    rest: () => around.take(),
    push(chunk, onItem) {
      for (let at = 0; at < chunk.length; ) {
        if (!inItems) at = skipAround(chunk, at);
        else if (depth > 2) {
          const end = skipItem(chunk, at);
          if (!item.add(chunk.subarray(at, end))) return false;
          at = end;
          if (depth === 2) onItem(item.take());
        } else {
          at = skipBetween(chunk, at);
          if (chunk[at] === close.bracket) inItems = false;
          else if (chunk[at] === open.brace) {
            depth++;
            item.add(chunk.subarray(at, ++at));
          }
        }
        if (at < 0) return false;
      }
      return true;
    },
  };
}
