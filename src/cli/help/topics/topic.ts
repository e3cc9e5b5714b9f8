/** A text of `alcove help TOPIC`, in the notation of `../blocks.ts`. */
export interface Topic {
  readonly name: string;
  /** For the list of topics: a few words, no full stop. */
  readonly brief: string;
  readonly text: string;
}
