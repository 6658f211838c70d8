/** Streams that were reset a short while ago: what still comes for them was sent before the client knew. */

/** A client has no more frames than these under way. */
const REMEMBERED = 128;

export interface ResetStreams {
  readonly ids: Int32Array;
  next: number;
}

export const createResetStreams = (): ResetStreams => ({ ids: new Int32Array(REMEMBERED), next: 0 });

export function rememberReset(resets: ResetStreams, id: number): void {
  resets.ids[resets.next] = id;
  resets.next = (resets.next + 1) % REMEMBERED;
}

export const wasReset = ({ ids }: ResetStreams, id: number): boolean => ids.includes(id);
