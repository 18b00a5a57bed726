// What `ip -force -batch -` says on stderr → which of the lines it was fed were refused, and why.
//
// iproute2 writes the reason first, on lines of its own, then `Command failed -:LINE`. Commands that succeed say nothing. To learn
// that everything so far was done, an empty object name is fed: it is refused at once, with the number of its line.

/** Refused by iproute2 itself without asking the kernel. */
export const END_COMMAND = 'end-of-batch';

export interface LineFailure {
  /** Index in the run's lines, from 0. */
  readonly index: number;
  /** The kernel's or iproute2's reason, in its own words. */
  readonly reason: string;
}

const commandFailed = /^Command failed -:(\d+)$/;
const speaker = /^(?:RTNETLINK answers|Error): /;

/** Collects the failures of one run whose first line has the number `firstLine` in the child's life (counted from 1). */
export class BatchReport {
  readonly failures: LineFailure[] = [];
  readonly #firstLine: number;
  #reasons: string[] = [];

  constructor(firstLine: number) {
    this.#firstLine = firstLine;
  }

  /** Takes a line of stderr; true when it is the answer to the line numbered `endLine`, the last of the run. */
  take(text: string, endLine: number): boolean {
    const match = commandFailed.exec(text);
    if (match === null) {
      if (text !== '') this.#reasons.push(text.replace(speaker, ''));
      return false;
    }
    const line = Number(match[1]);
    const reason = this.#reasons.join('; ') || 'refused without a reason';
    this.#reasons = [];
    if (line === endLine) return true;
    this.failures.push({ index: line - this.#firstLine, reason });
    return false;
  }
}
