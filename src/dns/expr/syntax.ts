/** The syntax tree of an expression. `at` is the offset in the source. */
export type Node =
  | {
      readonly kind: 'literal';
      readonly value: null | boolean | number | string;
      readonly float?: true;
      readonly at: number;
    }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  /** `#`, `#index`, `#acc`. */
  | { readonly kind: 'pointer'; readonly name: string; readonly at: number }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Node; readonly at: number }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Node;
      readonly right: Node;
      readonly at: number;
    }
  | {
      readonly kind: 'conditional';
      readonly test: Node;
      readonly then: Node;
      readonly otherwise: Node;
      readonly at: number;
    }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Node[]; readonly at: number }
  | { readonly kind: 'member'; readonly of: Node; readonly key: Node; readonly optional: boolean; readonly at: number }
  | { readonly kind: 'slice'; readonly of: Node; readonly from?: Node; readonly to?: Node; readonly at: number }
  | { readonly kind: 'array'; readonly items: readonly Node[]; readonly at: number }
  | { readonly kind: 'map'; readonly pairs: readonly (readonly [Node, Node])[]; readonly at: number }
  | { readonly kind: 'let'; readonly name: string; readonly value: Node; readonly body: Node; readonly at: number }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[]; readonly at: number }
  /** A body that is evaluated for each element. */
  | { readonly kind: 'predicate'; readonly body: Node; readonly at: number };
