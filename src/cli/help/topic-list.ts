/** What there is help on besides commands. */
import { compression } from './topics/compression.ts';
import { patterns } from './topics/patterns.ts';
import { placeholders } from './topics/placeholders.ts';
import type { Topic } from './topics/topic.ts';

export const topics: readonly Topic[] = [compression, patterns, placeholders];

export function findTopic(name: string): Topic | undefined {
  return topics.find((topic) => topic.name === name);
}
