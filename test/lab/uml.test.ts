// The script that the other kernel starts with.
import { describe, expect, it } from 'vitest';
import { execute } from '../../src/lab/execute.ts';
import { initScript } from '../../src/lab/uml.ts';

const options = {
  directory: '/tmp/uml-test',
  modules: ['vrf', 'dummy'],
  command: '/opt/it runs/node',
  args: ["it's", '$HOME', 'a;b'],
  env: { RUTTER_TEST: 'one "two"' },
  timeoutMs: 1000,
};

describe('the init script', () => {
  it('is one the shell understands', async () => {
    await execute('sh', ['-n'], { input: initScript(options) });
  });

  it('gives every word to the command as it is', () => {
    const script = initScript(options);
    expect(script).toContain(
      `'/opt/it runs/node' 'it'\\''s' '$HOME' 'a;b' < /dev/null > '/tmp/uml-test/output' 2>&1`,
    );
    expect(script).toContain(`export RUTTER_TEST='one "two"'`);
    expect(script).toContain(`modprobe -d /run/modules -a 'vrf' 'dummy' &&`);
  });
});
