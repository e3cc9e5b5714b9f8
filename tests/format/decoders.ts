/** Every decoder of bytes that may come from anywhere, with good input to damage and the errors that it may throw. */
import assert from 'node:assert/strict';

import { decompress } from '../../src/compress/decompress.ts';
import { parseCompression } from '../../src/compress/compression-spec.ts';
import { createCompressor } from '../../src/compress/compressor.ts';
import { openEnvelope } from '../../src/crypto/envelope.ts';
import { DecompressionError, FileIntegrityError, GeneralError, IntegrityError } from '../../src/errors.ts';
import { decodeArchiveMetadata, encodeArchiveMetadata } from '../../src/format/archive-metadata.ts';
import { decodeHints, encodeHints, HintsError } from '../../src/format/hints.ts';
import { decodeIndexFile, encodeIndexFile, IndexFileError } from '../../src/format/index-file.ts';
import { decodeIni, IniError } from '../../src/format/ini.ts';
import { decodeIntegrityData } from '../../src/format/integrity-data.ts';
import { decodeItem, encodeItem } from '../../src/format/item.ts';
import {
  decodeEncryptedKey,
  decodeKeyRecord,
  decodeKeyText,
  encodeEncryptedKey,
  encodeKeyRecord,
  KeyBlobError,
} from '../../src/format/key-blob.ts';
import { decodeLockName, decodeLockRoster, encodeLockRoster } from '../../src/format/lock-roster.ts';
import { decodeManifest, encodeManifest } from '../../src/format/manifest.ts';
import { MetadataError } from '../../src/format/metadata-fields.ts';
import { decodeNonce } from '../../src/format/nonce.ts';
import {
  createRepositoryConfig,
  decodeRepositoryConfig,
  encodeRepositoryConfig,
  RepositoryConfigError,
} from '../../src/format/repository-config.ts';
import {
  decodeRepositoryIntegrity,
  encodeRepositoryIntegrity,
  RepositoryIntegrityError,
} from '../../src/format/repository-integrity.ts';
import { RobustItemStream } from '../../src/format/robust-item-stream.ts';
import { decodeEntryHeader, encodePut } from '../../src/format/segment.ts';
import {
  decodeSegmentChecksums,
  encodeSegmentChecksums,
  SegmentChecksumsError,
} from '../../src/format/segment-checksums.ts';
import { decodeTimestamp } from '../../src/format/timestamp.ts';
import { decode } from '../../src/msgpack/decode.ts';
import { encode } from '../../src/msgpack/encode.ts';
import { Unpacker } from '../../src/msgpack/unpacker.ts';
import { MsgpackError } from '../../src/msgpack/value.ts';
import { concatBytes, fromUtf8 } from '../../src/util/bytes.ts';
import { HashIndex } from '../../src/util/hash-index.ts';

type ErrorClass = abstract new (...args: never[]) => Error;

export interface Decoder {
  readonly what: string;
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Good input, to be damaged. */
  readonly samples: readonly Uint8Array[];
  readonly errors: readonly ErrorClass[];
}

const id = new Uint8Array(32).fill(7);
const item = encodeItem({
  path: fromUtf8('a/b'),
  mode: 0o100644,
  uid: 0,
  mtimeNs: 1n << 70n,
  user: null,
  chunks: [{ id, size: 3, csize: 4 }],
  xattrs: new Map([['user.x', fromUtf8('y')]]),
});
const index = new HashIndex({ valueWords: 2 });
for (let i = 0; i < 40; i++) index.set(id.with(0, i).with(5, i * 3), i, i);
const plain = fromUtf8('much of the same, '.repeat(50));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const cipher = { typeByte: 3, cipher: 'aes-256-ctr', mac: 'hmac-sha256', idHash: 'hmac-sha256' } as const;

export const decoders: readonly Decoder[] = [
  { what: 'msgpack', decode: (bytes) => decode(bytes), samples: [item], errors: [MsgpackError] },
  {
    what: 'a stream of msgpack',
    decode: (bytes) => {
      const unpacker = new Unpacker({ maxBufferBytes: 1000 });
      for (let at = 0; at < bytes.length; at += 7) {
        unpacker.feed(bytes.subarray(at, at + 7));
        [...unpacker].forEach((value) => decodeItem(value));
      }
    },
    samples: [concatBytes([item, item, item])],
    errors: [MsgpackError, MetadataError],
  },
  {
    what: 'a damaged item stream',
    decode: (bytes) => {
      const stream = new RobustItemStream();
      stream.feed(bytes.subarray(0, 100));
      for (let lost = 0; lost < 10; lost++) {
        try {
          while (stream.next() !== undefined);
        } catch (error) {
          if (!(error instanceof MsgpackError)) throw error;
        }
        stream.resync();
        stream.feed(bytes.subarray(100));
      }
    },
    samples: [concatBytes([item, item.subarray(20), item, item])],
    errors: [],
  },
  {
    what: 'an item',
    decode: (bytes) => decodeItem(decode(bytes)),
    samples: [item],
    errors: [MsgpackError, MetadataError],
  },
  {
    what: 'a manifest',
    decode: (bytes) => decodeManifest(decode(bytes, { allowTrailing: true })),
    samples: [
      encode(
        encodeManifest({
          version: 1,
          archives: new Map([['one', { id, time: '2024-01-31T12:00:00.000000' }]]),
          timestamp: '2024-01-31T12:00:00.000000',
          config: new Map(),
          itemKeys: ['path'],
        }),
      ),
    ],
    errors: [MsgpackError, MetadataError],
  },
  {
    what: 'archive metadata',
    decode: (bytes) => decodeArchiveMetadata(decode(bytes)),
    samples: [
      encode(
        encodeArchiveMetadata({
          version: 1,
          name: 'one',
          items: [id],
          cmdline: ['x'],
          time: '2024-01-31T12:00:00.000000',
          chunkerParams: ['buzhash', 19, 23, 21, 4095],
        }),
      ),
    ],
    errors: [MsgpackError, MetadataError],
  },
  {
    what: 'checksums of a segment',
    decode: (bytes) => {
      const checksums = decodeSegmentChecksums(bytes);
      for (let number = 0; number < checksums.count; number++) checksums.record(number);
    },
    samples: [
      encodeSegmentChecksums([
        { offset: 8, sizeBytes: 91, crc: 7, key: new Uint8Array(32), checksum: new Uint8Array(16) },
      ]),
    ],
    errors: [SegmentChecksumsError],
  },
  {
    what: 'hints',
    decode: decodeHints,
    samples: [
      encodeHints({
        segments: new Map([[1, 2]]),
        compact: new Map([[1, 100]]),
        storageQuotaUseBytes: 5,
        shadowIndex: new Map([['k'.repeat(32), [1]]]),
      }),
    ],
    errors: [HintsError],
  },
  {
    what: 'an index file',
    decode: (bytes) => {
      const read = decodeIndexFile(bytes, { valueWords: 2 });
      for (const key of read.keys()) read.find(key);
      return [read.find(id), read.delete(id), read.set(id, 1, 2), read.find(id)];
    },
    samples: [concatBytes(encodeIndexFile(index).map(({ bytes }) => bytes))],
    errors: [IndexFileError, RangeError],
  },
  {
    what: "the repository's integrity data",
    decode: decodeRepositoryIntegrity,
    samples: [encodeRepositoryIntegrity({ hints: '{}', index: '{}' })],
    errors: [MsgpackError, RepositoryIntegrityError],
  },
  {
    what: 'integrity data',
    decode: (bytes) => decodeIntegrityData(text(bytes), 'x'),
    samples: [fromUtf8('{"algorithm": "XXH64", "digests": {"final": "00"}}')],
    errors: [FileIntegrityError],
  },
  {
    what: 'INI',
    decode: (bytes) => decodeIni(text(bytes)),
    samples: [fromUtf8('[a]\nb = c\n d\n')],
    errors: [IniError],
  },
  {
    what: "the repository's config",
    decode: (bytes) => decodeRepositoryConfig(text(bytes)),
    samples: [fromUtf8(encodeRepositoryConfig(createRepositoryConfig({ id })))],
    errors: [RepositoryConfigError],
  },
  {
    what: 'a lock roster',
    decode: (bytes) => [decodeLockRoster(text(bytes)), decodeLockName(text(bytes))],
    samples: [fromUtf8(encodeLockRoster({ shared: [{ host: 'a', pid: 1, thread: 2 }], exclusive: [] }))],
    errors: [],
  },
  {
    what: 'a nonce',
    decode: (bytes) => decodeNonce(text(bytes)),
    samples: [fromUtf8('00000000000000ff')],
    errors: [GeneralError],
  },
  {
    what: 'a time',
    decode: (bytes) => decodeTimestamp(text(bytes)),
    samples: [fromUtf8('2024-01-31T12:00:00.000000')],
    errors: [Error],
  },
  {
    what: 'an encrypted key',
    decode: decodeEncryptedKey,
    samples: [encodeEncryptedKey({ iterations: 100_000, salt: id, hash: id, data: id })],
    errors: [KeyBlobError, GeneralError],
  },
  {
    what: 'a key',
    decode: decodeKeyRecord,
    samples: [
      encodeKeyRecord({
        repositoryId: id,
        encKey: id,
        encHmacKey: id,
        idKey: id,
        chunkSeed: -1,
        tamRequired: true,
      }),
    ],
    errors: [KeyBlobError, GeneralError],
  },
  {
    what: 'the text of a key',
    decode: (bytes) => decodeKeyText(text(bytes)),
    samples: [fromUtf8('QUJD'.repeat(9))],
    errors: [KeyBlobError],
  },
  {
    what: 'the header of a segment entry',
    decode: (bytes) => decodeEntryHeader(bytes, 0, bytes.length, { segment: 1, offset: 8 }),
    samples: [encodePut(id, plain)],
    errors: [IntegrityError],
  },
  {
    what: 'an envelope',
    decode: (bytes) => openEnvelope({ ...cipher, encKey: id, encHmacKey: id, idKey: id }, id, bytes),
    samples: [new Uint8Array(50).fill(3)],
    errors: [IntegrityError],
  },
  {
    what: 'compressed data',
    decode: (bytes) => {
      const data = decompress(bytes, 1_000_000);
      assert.ok(data.length <= 1_000_000);
    },
    samples: ['none', 'lz4', 'zlib,6', 'lzma,1', 'zstd,3', 'obfuscate,3,lz4'].map((spec) =>
      createCompressor(parseCompression(spec)).compress(plain).slice(),
    ),
    errors: [DecompressionError],
  },
];
