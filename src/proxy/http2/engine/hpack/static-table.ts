/** The static table of RFC 7541 appendix A. */

/** Names that follow each other with different values stand once. */
const rows: readonly string[] = [
  ':authority',
  ':method=GET=POST',
  ':path=/=/index.html',
  ':scheme=http=https',
  ':status=200=204=206=304=400=404=500',
  'accept-charset',
  'accept-encoding=gzip, deflate',
  ...'accept-language accept-ranges accept access-control-allow-origin age allow authorization'.split(' '),
  ...'cache-control content-disposition content-encoding content-language content-length'.split(' '),
  ...'content-location content-range content-type cookie date etag expect expires from host'.split(' '),
  ...'if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link'.split(' '),
  ...'location max-forwards proxy-authenticate proxy-authorization range referer refresh'.split(' '),
  ...'retry-after server set-cookie strict-transport-security transfer-encoding user-agent'.split(' '),
  ...'vary via www-authenticate'.split(' '),
];

/** Names and values; the first one has index 1. */
export const staticTable: readonly (readonly [name: string, value: string])[] = rows.flatMap((row) => {
  const [name = '', ...values] = row.split('=');
  return (values.length > 0 ? values : ['']).map((value): [string, string] => [name, value]);
});

/** The first index of each name. */
export const staticNames: ReadonlyMap<string, number> = new Map(
  staticTable.map(([name], i): [string, number] => [name, i + 1]).reverse(),
);

/** The first index of the dynamic table. */
export const FIRST_DYNAMIC = staticTable.length + 1;
