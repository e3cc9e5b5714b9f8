/** Yes/no questions. Source: Borg 1.4.5 helpers/yes.py. */
import type { Environment } from '../../util/context.ts';
import type { Question } from '../../util/reporter.ts';

const truish = ['Yes', 'YES', 'yes', 'Y', 'y', '1'];
const falsish = ['No', 'NO', 'no', 'N', 'n', '0'];
const defaultish = ['Default', 'DEFAULT', 'default', 'D', 'd', ''];

export type QuestionMessage =
  | 'prompt'
  | 'prompt_retry'
  | 'env_answer'
  | 'accepted_default'
  | 'accepted_true'
  | 'accepted_false'
  | 'invalid_answer';

export interface QuestionChannel {
  readonly env: Environment;
  say(kind: QuestionMessage, text: string, isPrompt: boolean, envVariable?: string): void;
  readLine(): Promise<string | undefined>;
}

export async function answerQuestion(question: Question, channel: QuestionChannel): Promise<boolean> {
  const fallback = question.default ?? false;
  const say = (kind: QuestionMessage, text: string | undefined): void => {
    if (text) channel.say(kind, text, kind.startsWith('prompt'));
  };
  say('prompt', question.text);
  for (let mayAskEnv = true; ; mayAskEnv = false) {
    let answer = mayAskEnv ? channel.env[question.env] : undefined;
    if (answer === undefined) {
      answer = await channel.readLine();
      answer ??= (fallback ? (question.truish ?? truish) : falsish)[0]!;
    } else {
      channel.say('env_answer', `${answer} (from ${question.env})`, false, question.env);
    }
    if (defaultish.includes(answer)) {
      say('accepted_default', question.defaultText);
      return fallback;
    }
    if ((question.truish ?? truish).includes(answer)) {
      say('accepted_true', question.trueText);
      return true;
    }
    if (falsish.includes(answer)) {
      say('accepted_false', question.falseText);
      return false;
    }
    say('invalid_answer', question.invalidText);
    if (!question.retry) return fallback;
    say('prompt_retry', question.retryText);
  }
}
