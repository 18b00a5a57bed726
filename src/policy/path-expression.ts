// Regular expressions on the text of an AS_PATH → a tree. The POSIX subset that routers take, and their `_`.
//
//   digits, space, comma         themselves
//   { } ( ) [ ]                  themselves, escaped:  \{ \( \[
//   .  [0-9]  [^ ]               any symbol, one of, one not of
//   ^  $  _                      the beginning, the end; a border of numbers: ^, $ or any of  space { } ( ) [ ] ,
//   a|b  (a)  a*  a+  a?  a{2}  a{2,}  a{2,3}
//
// The text is the one that `rutter routes` and FRR show: `65001 64999 {1,2}`, with commas inside of sets alone.
// test/system/path-expressions.test.ts asks FRR.
//
// What is not here could not be run without going back (back-references, look-around) or would not mean what it says elsewhere
// (`\d` and the like).

/** The symbols of the text; their places are the core's (assembly/policy/path-text.ts). */
export const symbols = '0123456789 {}()[],';

export type Expression =
  | { readonly kind: 'symbols'; readonly set: ReadonlySet<string> }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Expression[] }
  | {
      readonly kind: 'repeat';
      readonly of: Expression;
      readonly min: number;
      readonly max: number | undefined;
    };

/** An expression that cannot be read, in one clause. */
export class ExpressionError extends Error {}

/** Most repetitions an interval may ask for (RE_DUP_MAX of POSIX). */
const MOST_REPEATS = 255;
const MOST_CHARACTERS = 1000;
const MOST_DEPTH = 50;

const separators = new Set(' {}()[],');
const border: Expression = {
  kind: 'any',
  of: [{ kind: 'start' }, { kind: 'symbols', set: separators }, { kind: 'end' }],
};

export function parsePathExpression(text: string): Expression {
  if (text.length > MOST_CHARACTERS) {
    throw new ExpressionError(`must have at most ${MOST_CHARACTERS} characters`);
  }
  const parser = new Parser(text);
  const expression = parser.alternatives(0);
  parser.expectEnd();
  return expression;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  alternatives(depth: number): Expression {
    if (depth > MOST_DEPTH) throw this.#error('must not be nested deeper');
    const branches = [this.#sequence(depth)];
    while (this.#take('|')) branches.push(this.#sequence(depth));
    return branches.length === 1 ? branches[0]! : { kind: 'any', of: branches };
  }

  expectEnd(): void {
    if (this.#at < this.#text.length) throw this.#error('must have an opening ( for every )');
  }

  #sequence(depth: number): Expression {
    const parts: Expression[] = [];
    while (this.#at < this.#text.length && !'|)'.includes(this.#peek())) {
      parts.push(this.#repeated(this.#atom(depth)));
    }
    return { kind: 'all', of: parts };
  }

  #repeated(atom: Expression): Expression {
    let expression = atom;
    for (;;) {
      const bounds = this.#bounds();
      if (bounds === undefined) return expression;
      if (expression.kind === 'repeat') throw this.#error('must not repeat a repetition');
      expression = { kind: 'repeat', of: expression, ...bounds };
    }
  }

  #bounds(): { readonly min: number; readonly max: number | undefined } | undefined {
    if (this.#take('*')) return { min: 0, max: undefined };
    if (this.#take('+')) return { min: 1, max: undefined };
    if (this.#take('?')) return { min: 0, max: 1 };
    if (this.#at >= this.#text.length || this.#peek() !== '{') return undefined;
    const [whole, least, comma, most] =
      /^\{(\d{1,3})(,?)(\d{0,3})\}/.exec(this.#text.slice(this.#at)) ?? [];
    if (whole === undefined) throw this.#error('must have {2}, {2,} or {2,3}, or \\{ for a brace');
    this.#at += whole.length;
    const min = Number(least);
    const max = comma === '' ? min : most === '' ? undefined : Number(most);
    if (min > MOST_REPEATS || (max ?? min) > MOST_REPEATS || (max ?? min) < min) {
      throw this.#error(`must repeat from a smaller to a larger number, at most ${MOST_REPEATS}`);
    }
    return { min, max };
  }

  #atom(depth: number): Expression {
    const character = this.#text[this.#at++]!;
    switch (character) {
      case '(': {
        const inner = this.alternatives(depth + 1);
        if (!this.#take(')')) throw this.#error('must have a closing ) for every (');
        return inner;
      }
      case '[':
        return this.#class();
      case '.':
        return { kind: 'symbols', set: new Set(symbols) };
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '_':
        return border;
      case '\\':
        return this.#escaped();
      default:
        if ('*+?{'.includes(character))
          throw this.#error(`must have something before ${character}`);
        return this.#literal(character);
    }
  }

  #escaped(): Expression {
    const character = this.#text[this.#at++];
    if (character === undefined || /[A-Za-z0-9]/.test(character)) {
      throw this.#error(`must not have \\${character ?? ''}, only escaped signs`);
    }
    return this.#literal(character);
  }

  #literal(character: string): Expression {
    if (!symbols.includes(character)) {
      throw this.#error(`must be of digits, spaces and signs, is ${character}`);
    }
    return { kind: 'symbols', set: new Set(character) };
  }

  #class(): Expression {
    const isNegated = this.#take('^');
    const set = new Set<string>();
    for (let isFirst = true; isFirst || this.#peek() !== ']'; isFirst = false) {
      const from = this.#classMember();
      const isRange = this.#peek() === '-' && this.#text[this.#at + 1] !== ']';
      if (isRange) this.#at++;
      const to = isRange ? this.#classMember() : from;
      if (to < from) throw this.#error(`must be a range from low to high, is ${from}-${to}`);
      for (const symbol of symbols) if (symbol >= from && symbol <= to) set.add(symbol);
    }
    this.#at++;
    const members = isNegated ? [...symbols].filter((symbol) => !set.has(symbol)) : [...set];
    return { kind: 'symbols', set: new Set(members) };
  }

  #classMember(): string {
    if (this.#at >= this.#text.length) throw this.#error('must have a closing ] for every [');
    return this.#text[this.#at++]!;
  }

  /** The next character, or none at the end. */
  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #error(message: string): ExpressionError {
    return new ExpressionError(`${message}, at character ${Math.min(this.#at, this.#text.length)}`);
  }
}
