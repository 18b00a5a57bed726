// What the commands that ask a running agent for a list have in common: options, and columns of an answer.
import { Command } from 'commander';
import { type Column, flatText, type OutputFormat, outputOption } from './output.ts';
import { socketOption } from './socket-option.ts';

export interface AskOptions {
  readonly output: OutputFormat;
  readonly socket: string;
}

export type Answer = Record<string, unknown>;

export function asking(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(outputOption())
    .addOption(socketOption());
}

export function text(heading: string, field: string): Column<Answer> {
  return { heading, text: (item) => flatText(item[field]) };
}

export function count(heading: string, field: string): Column<Answer> {
  return { heading, text: (item) => flatText(item[field]), align: 'right' };
}
