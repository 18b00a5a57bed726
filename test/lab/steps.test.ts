// The progress lines of the lab: what a pipe and a terminal get.
import { describe, expect, it } from 'vitest';
import { createSteps } from '../../src/lab/steps.ts';

function recorder(isTTY: boolean) {
  const written: string[] = [];
  let clock = 0;
  const now = () => {
    clock += 250;
    return clock;
  };
  return { written, now, output: { isTTY, write: (text: string) => written.push(text) } };
}

describe('steps', () => {
  it('write one line with detail and time into a pipe', async () => {
    const { written, now, output } = recorder(false);
    const result = await createSteps(output, undefined, now).run(
      'routers',
      () => Promise.resolve(2),
      (count) => `${count} started`,
    );
    expect(result).toBe(2);
    expect(written).toEqual(['  ✓ routers: 2 started  0.3 s\n']);
  });

  it('show a running step on a terminal and overwrite it', async () => {
    const { written, now, output } = recorder(true);
    await createSteps(output, undefined, now).run('routers', () => Promise.resolve());
    expect(written).toEqual(['  … routers', '\r\u001b[2K  ✓ routers  0.3 s\n']);
  });

  it('mark a step that fails and pass its error on', async () => {
    const { written, now, output } = recorder(false);
    const failing = createSteps(output, undefined, now).run('routers', () =>
      Promise.reject(new Error('no FRR')),
    );
    await expect(failing).rejects.toThrow('no FRR');
    expect(written).toEqual(['  ✗ routers  0.3 s\n']);
  });

  it('begin nothing once they were stopped', async () => {
    const { written, output } = recorder(false);
    const steps = createSteps(output, AbortSignal.abort(new Error('interrupted')));
    let begun = false;
    const work = async () => {
      begun = true;
    };
    await expect(steps.run('routers', work)).rejects.toThrow('interrupted');
    expect([begun, written]).toEqual([false, []]);
  });
});
