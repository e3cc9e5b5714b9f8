/**
 * Properties of files and directories.
 *
 * Source: RFC 4918, section 15; `executable` is that of Apache's mod_dav, which davfs2 reads.
 */
import { toDisplayText } from '../../util/surrogate-escape.ts';
import type { Validators } from './preconditions.ts';
import { formatHttpDate } from './preconditions.ts';
import { DAV_NAMESPACE, type PropertyName } from './propfind-request.ts';
import { floorSeconds, type Resource } from './resource.ts';
import { escapeXml } from './markup.ts';

export const APACHE_NAMESPACE = 'http://apache.org/dav/props/';

export interface PropertySource {
  /** What the root is called. */
  readonly title: string;
  validatorsOf(resource: Resource): Validators;
}

interface Property extends PropertyName {
  /** Its contents as XML; undefined where the resource has no such property. */
  value(resource: Resource, source: PropertySource): string | undefined;
}

const dav = (name: string, value: Property['value']): Property => ({
  namespace: DAV_NAMESPACE,
  name,
  value,
});

const ANY_EXECUTE = 0o111;

/** All that there are. */
export const properties: readonly Property[] = [
  dav('resourcetype', ({ isDirectory }) => (isDirectory ? '<D:collection/>' : '')),
  dav('displayname', ({ names }, { title }) => {
    const name = names.at(-1);
    return escapeXml(name === undefined ? title : toDisplayText(name));
  }),
  dav('getcontentlength', ({ isDirectory, found }) =>
    isDirectory ? undefined : String(found.attributes.sizeBytes),
  ),
  dav('getcontenttype', ({ contentType }) => escapeXml(contentType)),
  dav('getlastmodified', (resource, source) => formatHttpDate(source.validatorsOf(resource).modifiedS)),
  dav('getetag', (resource, source) =>
    resource.isDirectory ? undefined : escapeXml(source.validatorsOf(resource).etag),
  ),
  dav('creationdate', ({ found }) => isoTime(found.attributes.birthtimeNs)),
  {
    namespace: APACHE_NAMESPACE,
    name: 'executable',
    value: ({ isDirectory, found }) =>
      isDirectory ? undefined : (found.attributes.mode & ANY_EXECUTE) === 0 ? 'F' : 'T',
  },
];

/** Undefined for one that nothing has here. */
export function propertyOf({ namespace, name }: PropertyName): Property | undefined {
  return properties.find((property) => property.name === name && property.namespace === namespace);
}

function isoTime(timeNs: bigint): string | undefined {
  const date = new Date(floorSeconds(timeNs) * 1000);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date.toISOString().replace('.000Z', 'Z') : undefined;
}
