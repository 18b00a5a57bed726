// A path expression → the automaton that the core runs: a state and a symbol give the next state, so that a text of n symbols
// takes n steps, whatever the expression. What would need too many states is refused.
//
// An expression becomes a graph (Thompson's construction) whose edges are symbols, nothing, or an anchor; a state of the automaton
// is the set of nodes that the text so far may have led to (subset construction). A text matches when the expression matches any
// part of it: every state holds the first node too, and a state that holds the last one stays matched.
import {
  AUTOMATON_DEAD,
  AUTOMATON_HEADER_SIZE,
  AUTOMATON_MATCHED,
  AUTOMATON_SYMBOLS,
} from '../../assembly/abi.ts';
import {
  type Expression,
  ExpressionError,
  parsePathExpression,
  symbols,
} from './path-expression.ts';

/** Bounds on what compiling may take; a thousand nodes are an expression of a hundred AS numbers. */
const MOST_NODES = 4000;
const MOST_STATES = 1000;

interface Node {
  readonly free: number[];
  /** Followed at the beginning of the text, at its end. */
  readonly atStart: number[];
  readonly atEnd: number[];
  readonly edges: { readonly set: ReadonlySet<string>; readonly to: number }[];
}

/** Throws ExpressionError. */
export function compilePathExpression(text: string): Uint8Array {
  return encode(determine(buildGraph(parsePathExpression(text))));
}

interface Graph {
  readonly nodes: readonly Node[];
  readonly first: number;
  readonly last: number;
}

function buildGraph(expression: Expression): Graph {
  const nodes: Node[] = [];
  const add = (): number => {
    if (nodes.length >= MOST_NODES) throw new ExpressionError('must be shorter or repeat less');
    return nodes.push({ free: [], atStart: [], atEnd: [], edges: [] }) - 1;
  };
  /** Appends an expression behind a node; where it ends. */
  const append = (from: number, part: Expression): number => {
    switch (part.kind) {
      case 'symbols': {
        const to = add();
        nodes[from]!.edges.push({ set: part.set, to });
        return to;
      }
      case 'start':
      case 'end': {
        const to = add();
        nodes[from]![part.kind === 'start' ? 'atStart' : 'atEnd'].push(to);
        return to;
      }
      case 'all':
        return part.of.reduce(append, from);
      case 'any': {
        const to = add();
        for (const branch of part.of) {
          const begin = add();
          nodes[from]!.free.push(begin);
          nodes[append(begin, branch)]!.free.push(to);
        }
        return to;
      }
      case 'repeat':
        return appendRepeat(from, part);
    }
  };
  const appendRepeat = (
    from: number,
    { of, min, max }: Extract<Expression, { kind: 'repeat' }>,
  ): number => {
    let at = from;
    for (let i = 0; i < min; i++) at = append(at, of);
    const end = add();
    if (max === undefined) {
      const loop = add();
      nodes[at]!.free.push(loop);
      nodes[append(loop, of)]!.free.push(loop);
      nodes[loop]!.free.push(end);
      return end;
    }
    for (let i = min; i < max; i++) {
      nodes[at]!.free.push(end);
      at = append(at, of);
    }
    nodes[at]!.free.push(end);
    return end;
  };
  const first = add();
  const last = append(first, expression);
  return { nodes, first, last };
}

interface States {
  readonly start: number;
  /** Per state, the next state of each symbol. */
  readonly next: readonly (readonly number[])[];
  readonly accepting: readonly boolean[];
}

function determine(graph: Graph): States {
  const toItself = (state: number) => new Array<number>(AUTOMATON_SYMBOLS).fill(state);
  const next: number[][] = [];
  next[AUTOMATON_DEAD] = toItself(AUTOMATON_DEAD);
  next[AUTOMATON_MATCHED] = toItself(AUTOMATON_MATCHED);
  const accepting = [];
  accepting[AUTOMATON_DEAD] = false;
  accepting[AUTOMATON_MATCHED] = true;
  const numbers = new Map<string, number>();
  const waiting: { readonly kernel: readonly number[]; readonly state: number }[] = [];
  const stateOf = (kernel: readonly number[], isStart: boolean): number => {
    const reached = close(graph, kernel, isStart, false);
    if (reached.has(graph.last)) return AUTOMATON_MATCHED;
    const inside = [...reached].sort((a, b) => a - b);
    const key = `${isStart} ${inside}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const accepts = close(graph, kernel, isStart, true).has(graph.last);
    if (!isStart && !accepts && inside.every((node) => graph.nodes[node]!.edges.length === 0)) {
      return AUTOMATON_DEAD;
    }
    const state = next.length;
    if (state >= MOST_STATES)
      throw new ExpressionError('must be simpler, it needs too many states');
    next.push([]);
    accepting.push(accepts);
    numbers.set(key, state);
    waiting.push({ kernel: inside, state });
    return state;
  };
  const start = stateOf([graph.first], true);
  for (let work = waiting.shift(); work !== undefined; work = waiting.shift()) {
    const { kernel, state } = work;
    next[state] = [...symbols].map((symbol) =>
      stateOf([graph.first, ...step(graph, kernel, symbol)], false),
    );
  }
  return { start, next, accepting };
}

/** The nodes that may be reached without a symbol. */
function close(
  { nodes }: Graph,
  kernel: readonly number[],
  isStart: boolean,
  isEnd: boolean,
): Set<number> {
  const reached = new Set(kernel);
  for (const index of reached) {
    const { free, atStart, atEnd } = nodes[index]!;
    for (const to of free) reached.add(to);
    if (isStart) for (const to of atStart) reached.add(to);
    if (isEnd) for (const to of atEnd) reached.add(to);
  }
  return reached;
}

function step({ nodes }: Graph, from: readonly number[], symbol: string): number[] {
  return from.flatMap((index) =>
    nodes[index]!.edges.filter(({ set }) => set.has(symbol)).map(({ to }) => to),
  );
}

function encode({ start, next, accepting }: States): Uint8Array {
  const size = AUTOMATON_HEADER_SIZE + next.length * (AUTOMATON_SYMBOLS * 2 + 1);
  const bytes = new Uint8Array((size + 3) & ~3);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, next.length, true);
  view.setUint32(4, start, true);
  let offset = AUTOMATON_HEADER_SIZE;
  for (const row of next) {
    for (const state of row) {
      view.setUint16(offset, state, true);
      offset += 2;
    }
  }
  for (const accepts of accepting) view.setUint8(offset++, accepts ? 1 : 0);
  return bytes;
}
