// Completion scripts: legal for their shells, and right where bash can be asked.
import { execFileSync, spawnSync } from 'node:child_process';
import { Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { completionCommand, completionScript } from '../../src/cli/completion.ts';
import { routesCommand } from '../../src/cli/routes.ts';

function program(): Command {
  const root = new Command('rutter').description("the agent's program");
  root.addCommand(routesCommand());
  const lab = root.command('lab').description("the quick start's lab");
  lab.command('up').description('bring it up').option('--once', 'end after the checks');
  lab.command('down').addOption(new Option('-m, --mode <mode>', "it's").choices(['soft', 'hard']));
  root.addCommand(completionCommand(root));
  return root;
}

function completeInBash(line: string): string[] {
  const words = line.split(' ');
  const script = `${completionScript(program(), 'bash')}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
_rutter
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script]).toString().trim().split('\n');
}

describe('bash', () => {
  it.each([
    ['rutter ', ['routes', 'lab', 'completion']],
    ['rutter l', ['lab']],
    ['rutter lab ', ['up', 'down']],
    ['rutter lab up --', ['--once']],
    ['rutter lab down --mode ', ['soft', 'hard']],
    ['rutter routes --stage l', ['loc-rib']],
    ['rutter routes -o ', ['table', 'json', 'jsonl', 'csv']],
    ['rutter routes --pre', ['--prefixes']],
  ])('completes "%s"', (line, words) => {
    expect(completeInBash(line)).toEqual(words);
  });
});

it.each(['bash', 'zsh', 'fish'] as const)('%s takes the script', (shell) => {
  const script = completionScript(program(), shell);
  expect(script).toContain('adj-rib-in');
  const { status, stderr, error } = spawnSync(shell, ['-n'], { input: script });
  if (error !== undefined) return; // the shell is not installed here
  expect(stderr.toString()).toBe('');
  expect(status).toBe(0);
});
