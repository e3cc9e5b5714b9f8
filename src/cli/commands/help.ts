import { choicesOf, commandNames } from '../command-table.ts';
import { defineCommand } from '../command.ts';
import type { CommonArgs } from '../options/common.ts';
import { topics } from '../help/topic-list.ts';
import { suggestion } from '../suggestion.ts';
import { UsageError } from '../usage-error.ts';

interface HelpArgs extends CommonArgs {
  readonly epilogOnly: boolean;
  readonly usageOnly: boolean;
  readonly topic: readonly string[];
}

export const help = defineCommand<HelpArgs>({
  name: 'help',
  description: 'Shows help on a command or on a topic; without either, the list of both.',
  positionals: [
    {
      metavar: 'TOPIC',
      dest: 'topic',
      arity: 'many',
      completes: 'topics',
      help: 'a command, or a topic: patterns, placeholders, compression',
    },
  ],
  options: [
    {
      title: 'Options',
      options: [
        {
          flags: ['--epilog-only'],
          dest: 'epilogOnly',
          action: 'constant',
          fallback: false,
          hidden: true,
          help: 'accepted for scripts that build documentation from Borg',
        },
        {
          flags: ['--usage-only'],
          dest: 'usageOnly',
          action: 'constant',
          fallback: false,
          hidden: true,
          help: 'accepted for scripts that build documentation from Borg',
        },
      ],
    },
  ],
  examples: [{ command: 'alcove help patterns', text: 'how to say which files' }],

  async run(ctx, args) {
    const name = args.topic.join(' ');
    const { helpText } = await import('../help/help-text.ts');
    const text = await helpText(name, {
      program: ctx.io.name,
      columns: ctx.io.stdout.columns,
      part: args.epilogOnly ? 'epilog' : args.usageOnly ? 'usage' : 'all',
    });
    if (text !== undefined) return ctx.print(text);
    const topicNames = topics.map((topic) => topic.name);
    throw new UsageError('', noHelp(name, topicNames), suggestion(name, [...commandNames(), ...topicNames]));
  },
});

function noHelp(name: string, topicNames: readonly string[]): string {
  return [
    `No help available on ${name}.`,
    'Try one of the following:',
    `    Commands: ${choicesOf('').join(', ')}`,
    `    Topics: ${topicNames.toSorted().join(', ')}`,
  ].join('\n');
}
