/** Apart from the other values, so that no command but `diff` loads what compares archives. */
import { DIFF_SORT_FIELDS, type DiffSortField, type DiffSortKey } from '../../archive/diff/sort-diffs.ts';
import { suggestion } from '../suggestion.ts';
import { InvalidValue, type ParseValue } from './option.ts';

/** A comma-separated list of fields of differences, each with its direction. */
export const parseDiffSortKeys: ParseValue = (text) => {
  const specs = text
    .split(',')
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '');
  if (specs.length === 0) throw new InvalidValue('unsupported sort field: empty spec');
  return specs.map((spec): DiffSortKey => {
    const field = spec.replace(/^[<>]/, '');
    if (!isDiffSortField(field)) {
      throw new InvalidValue(`unsupported sort field: ${field}`, suggestion(field, DIFF_SORT_FIELDS));
    }
    return { field, descending: spec.startsWith('>') };
  });
};

function isDiffSortField(field: string): field is DiffSortField {
  return (DIFF_SORT_FIELDS as readonly string[]).includes(field);
}
