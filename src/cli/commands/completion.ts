import { defineCommand } from '../command.ts';
import { archiveNamesOf } from '../completion/archive-names.ts';
import { complete } from '../completion/complete.ts';
import { completionScript, encodeCompletions, SHELLS, type Shell } from '../completion/scripts.ts';
import type { CommonArgs } from '../options/common.ts';
import { InvalidValue, type ParseValue } from '../options/option.ts';
import { suggestion } from '../suggestion.ts';

interface CompletionArgs extends CommonArgs {
  readonly shell: Shell;
  readonly words: readonly string[];
}

const parseShell: ParseValue = (text) => {
  if ((SHELLS as readonly string[]).includes(text)) return text;
  const choices = SHELLS.map((shell) => `'${shell}'`).join(', ');
  throw new InvalidValue(`invalid choice: '${text}' (choose from ${choices})`, suggestion(text, SHELLS));
};

export const completion = defineCommand<CompletionArgs>({
  name: 'completion',
  description: `
Prints a script by which a shell completes command lines: commands, options, their values, files, and archives behind
"REPOSITORY::". Let the shell load it when it starts:

  bash  in ~/.bashrc: eval "$(alcove completion bash)"
  zsh   in ~/.zshrc, below compinit: eval "$(alcove completion zsh)"
  fish  in ~/.config/fish/config.fish: alcove completion fish | source

Archives are listed for repositories on this machine, if that takes no question: of a repository with a passphrase only
while BORG_PASSPHRASE is set.

With WORDs, which are a command line without the program's name, it prints what may stand in the place of the last one;
that is what the scripts do.`,
  positionals: [
    {
      metavar: 'SHELL',
      dest: 'shell',
      arity: 'one',
      parse: parseShell,
      completes: { words: SHELLS },
      help: SHELLS.join(', '),
    },
    { metavar: 'WORD', dest: 'words', arity: 'rest', completes: 'nothing', help: 'a command line' },
  ],
  options: [],
  examples: [{ command: 'eval "$(alcove completion bash)"', text: 'complete in this bash from now on' }],

  async run(ctx, args) {
    const words = args.words[0] === '--' ? args.words.slice(1) : args.words;
    if (words.length === 0) {
      ctx.print(completionScript(args.shell, ctx.io.name, ctx.io.program));
      return;
    }
    ctx.print(encodeCompletions(await complete(words, (repository) => archiveNamesOf(ctx, repository))));
  },
});
