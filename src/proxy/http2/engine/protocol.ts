/** Numbers of HTTP/2 (RFC 9113 sections 6 and 7, RFC 8441). */

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const errorCode = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;
export type ErrorCode = (typeof errorCode)[keyof typeof errorCode];

export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;

/** What a client sends before its first frame (RFC 9113 section 3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
export const FRAME_HEAD_BYTES = 9;
/** SETTINGS_MAX_FRAME_SIZE of both sides before they say otherwise, and ours for good. */
export const MAX_FRAME_BYTES = 16_384;
export const INITIAL_WINDOW = 65_535;
/** Of windows, increments and stream identifiers. */
export const MAX_31_BITS = 0x7fff_ffff;
