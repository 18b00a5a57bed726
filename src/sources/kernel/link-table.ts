// The links of the kernel as lines tell of them: their indexes, and which change may have dropped routes in silence. Pure.
import { type LinkLine, parseLink } from '../../iproute2/link-line.ts';

/** What became of a link by a line. */
export interface LinkChange {
  readonly name: string;
  /** It has come, or gone: a VRF device of that name is another one. */
  readonly isAnother: boolean;
  /** The kernel may have dropped routes over it, or taken them up again, without telling. */
  readonly hasMoved: boolean;
}

export class LinkTable {
  readonly #links = new Map<number, LinkLine>();
  readonly #indexes = new Map<string, number>();

  /** 0 while there is no such link. */
  indexOf(name: string): number {
    return this.#indexes.get(name) ?? 0;
  }

  /** Takes a line of a listing. */
  list(text: string): void {
    this.hear(text, false);
  }

  /** Takes a line of the monitor; undefined when it is about no link. */
  hear(text: string, isDeleted: boolean): LinkChange | undefined {
    const link = parseLink(text);
    if (link === undefined) return undefined;
    const before = this.#links.get(link.index);
    if (isDeleted) this.#forget(link);
    else this.#remember(link);
    return {
      name: link.name,
      isAnother: isDeleted || before === undefined,
      hasMoved: isDeleted || before === undefined || hasMoved(before, link),
    };
  }

  #remember(link: LinkLine): void {
    this.#links.set(link.index, link);
    this.#indexes.set(link.name, link.index);
  }

  #forget({ index, name }: LinkLine): void {
    this.#links.delete(index);
    if (this.#indexes.get(name) === index) this.#indexes.delete(name);
  }
}

function hasMoved(before: LinkLine, after: LinkLine): boolean {
  return (
    before.name !== after.name ||
    before.isUp !== after.isUp ||
    before.hasCarrier !== after.hasCarrier ||
    before.master !== after.master
  );
}
