// `rutter completion SHELL`: completion scripts, written from the commands themselves.
import { Argument, Command } from 'commander';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** What can be completed after a command's words. */
interface Words {
  /** `rutter`, `rutter lab`, `rutter lab up`. */
  readonly path: readonly string[];
  readonly description: string;
  readonly subcommands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionWords[];
}

interface OptionWords {
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

export function completionCommand(program: Command): Command {
  return new Command('completion')
    .description('print a completion script: source <(rutter completion bash)')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action((shell: Shell) => {
      process.stdout.write(completionScript(program, shell));
    });
}

export function completionScript(program: Command, shell: Shell): string {
  const words = collect(program, [program.name()]);
  switch (shell) {
    case 'bash':
      return bashScript(words);
    case 'zsh':
      return zshScript(words);
    case 'fish':
      return fishScript(words);
  }
}

function collect(command: Command, path: readonly string[]): Words[] {
  const here = {
    path,
    description: command.description(),
    subcommands: command.commands.map((child) => ({
      name: child.name(),
      description: child.description(),
    })),
    options: command.options.map((option) => ({
      flags: [option.short, option.long].filter((flag) => flag != null),
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    })),
  };
  const below = command.commands.flatMap((child) => collect(child, [...path, child.name()]));
  return [here, ...below];
}

/** Words of a line: subcommands lead on, option values and files do not. */
function bashScript(all: readonly Words[]): string {
  const cases = all.map(({ path, subcommands, options }) => {
    const words = [
      ...subcommands.map(({ name }) => name),
      ...options.flatMap(({ flags }) => flags),
    ];
    return `    ${quote(path.join(' '))}) words=${quote(words.join(' '))} ;;`;
  });
  const paths = all.map(({ path }) => quote(path.join(' '))).join('|');
  const values = all.flatMap(({ path, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .flatMap(({ flags, choices }) =>
        flags.map(
          (flag) =>
            `    ${quote(`${path.join(' ')} ${flag}`)}) words=${quote(choices.join(' '))} ;;`,
        ),
      ),
  );
  const name = all[0]!.path[0]!;
  return `# bash completion of ${name}
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path=${name} word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in ${paths}) path="$path $word" ;; esac
  done
  case "$path $previous" in
${values.join('\n')}
  esac
  if [[ -z $words ]]; then
    case "$path" in
${cases.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${name} ${name}
`;
}

function zshScript(all: readonly Words[]): string {
  const name = all[0]!.path[0]!;
  const functions = all.map(({ path, subcommands, options }) => {
    const specs = options.map(zshOption);
    if (subcommands.length === 0) {
      return `_${path.join('_').replaceAll('-', '_')}() {\n  _arguments -s ${[...specs, "'*:file:_files'"].join(' ')}\n}`;
    }
    const list = subcommands.map((sub) => quote(`${sub.name}:${sub.description}`)).join(' ');
    const own = path.join('_').replaceAll('-', '_');
    const cases = subcommands
      .map((sub) => `    ${sub.name}) _${own}_${sub.name.replaceAll('-', '_')} ;;`)
      .join('\n');
    return `_${own}() {
  local line state
  _arguments -C ${[...specs, "'1:command:->command'", "'*::argument:->argument'"].join(' ')}
  if [[ $state == command ]]; then
    local -a commands=(${list})
    _describe command commands
    return
  fi
  case $line[1] in
${cases}
  esac
}`;
  });
  return `#compdef ${name}\n${functions.join('\n')}\ncompdef _${name} ${name}\n`;
}

function zshOption({ flags, description, takesValue, choices }: OptionWords): string {
  const text = description.replaceAll(/[[\]:]/g, ' ');
  const value = choices.length > 0 ? `:value:(${choices.join(' ')})` : ':value:_files';
  const body = `[${text}]${takesValue ? value : ''}`;
  if (flags.length === 1) return quote(`${flags[0]}${body}`);
  return `'(${flags.join(' ')})'{${flags.join(',')}}${quote(body)}`;
}

function fishScript(all: readonly Words[]): string {
  const name = all[0]!.path[0]!;
  const lines = all.flatMap(({ path, subcommands, options }) => {
    const names = subcommands.map((sub) => sub.name).join(' ');
    const [, ...below] = path;
    const seen = below.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const none = names === '' ? '' : `not __fish_seen_subcommand_from ${names}`;
    const condition = (...parts: string[]) => {
      const joined = parts.filter((part) => part !== '').join('; and ');
      return joined === '' ? '' : ` -n ${quote(joined)}`;
    };
    return [
      ...subcommands.map(
        (sub) =>
          `complete -c ${name}${condition(seen, none)} -f -a ${sub.name} -d ${quote(sub.description)}`,
      ),
      ...options.map((option) => `complete -c ${name}${condition(seen)}${fishOption(option)}`),
    ];
  });
  return `# fish completion of ${name}\n${lines.join('\n')}\n`;
}

function fishOption({ flags, description, takesValue, choices }: OptionWords): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? ` -l ${flag.slice(2)}` : ` -s ${flag.slice(1)}`,
  );
  const values = choices.length > 0 ? ` -f -a ${quote(choices.join(' '))}` : '';
  return `${names.join('')}${takesValue ? ' -r' : ''}${values} -d ${quote(description)}`;
}

/** Single quotes take everything literally in all three shells, but for the quote itself. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
