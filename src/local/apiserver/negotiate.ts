/** The Accept header: which form of an answer a client wants. */

export type View =
  | 'object'
  /** Rows and columns for people (`kubectl get`). */
  | 'table'
  /** Metadata only. */
  | 'metadata';

export interface Media {
  readonly format: 'json' | 'yaml';
  readonly view: View;
  /** Version of meta.k8s.io that a table or metadata is asked in. */
  readonly metaVersion: 'v1' | 'v1beta1';
  /** The clauses of the header, best first: `type/subtype` and its parameters. */
  readonly clauses: readonly Clause[];
}

export interface Clause {
  readonly type: string;
  readonly params: Readonly<Record<string, string>>;
}

const MOST_CLAUSES = 32;

function parseClause(text: string): Clause & { q: number } {
  const [type, ...rest] = text.split(';').map((part) => part.trim());
  const params = Object.fromEntries(
    rest.map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? [part.toLowerCase(), ''] : [part.slice(0, equals).toLowerCase(), part.slice(equals + 1)];
    }),
  );
  const q = params.q === undefined ? 1 : Number(params.q);
  return { type: type!.toLowerCase(), params, q: Number.isFinite(q) ? q : 0 };
}

/** Clauses of an Accept header, best first. */
export function acceptClauses(header: string | undefined): Clause[] {
  return (header?.trim() || '*/*')
    .split(',')
    .slice(0, MOST_CLAUSES)
    .map(parseClause)
    .filter((clause) => clause.q > 0 && clause.type !== '')
    .sort((a, b) => b.q - a.q);
}

const formats: Record<string, Media['format']> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/*': 'json',
  '*/*': 'json',
};

const views: Record<string, View> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata',
};

function mediaOf(clause: Clause): Pick<Media, 'format' | 'view' | 'metaVersion'> | undefined {
  const format = formats[clause.type];
  if (!format) return undefined;
  const { as, g, v } = clause.params;
  if (as === undefined) return { format, view: 'object', metaVersion: 'v1' };
  const view = views[as];
  if (!view || g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined;
  return { format, view, metaVersion: v };
}

/**
 * The first clause that can be met. A client that takes nothing but protobuf gets JSON: client-go reads the answer by
 * its own Content-Type.
 */
export function negotiate(header: string | undefined): Media {
  const clauses = acceptClauses(header);
  for (const clause of clauses) {
    const media = mediaOf(clause);
    if (media) return { ...media, clauses };
  }
  return { format: 'json', view: 'object', metaVersion: 'v1', clauses };
}
