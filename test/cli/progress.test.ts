// The progress bar: on a terminal, and nowhere else.
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { startProgress } from '../../src/cli/progress.ts';

function run(isTTY: boolean, total: number | undefined): string {
  const stream = Object.assign(new PassThrough(), {
    isTTY,
    columns: 80,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  });
  const progress = startProgress('loading', total, stream as unknown as NodeJS.WriteStream);
  progress.advance(50);
  progress.stop();
  return String(stream.read() ?? '');
}

describe('a progress bar', () => {
  it('shows itself on a terminal', () => {
    expect(run(true, 100)).toContain('loading');
  });

  it.each([
    ['in a pipe', false, 100],
    ['where the length is not known', true, undefined],
  ])('is silent %s', (_, isTTY, total) => {
    expect(run(isTTY, total)).toBe('');
  });
});
