/**
 * Opens large sealed objects one after the other, so that two are hashed side by side all the time: the MAC of one
 * beside the id of the one before it, or of another one's. Few are in hand at once.
 */
import { decompressInto, isStored } from '../compress/decompress.ts';
import { constantTimeEqual } from '../crypto/constant-time.ts';
import { isAuthenticated, macLaneHash, macMessage, openInPlace } from '../crypto/envelope.ts';
import { HashLanes, type LaneHash } from '../crypto/hash-lanes.ts';
import { idLaneHash } from '../crypto/id-hash.ts';
import type { KeyMaterial } from '../crypto/key-material.ts';
import { FifoMemory, MemoryPiece } from './fifo-memory.ts';
import { releaseBuffer } from './open-batch.ts';

/** An object that is yet to be read. */
export interface LaneObject {
  readonly id: Uint8Array;
  /** What it takes to read it; 0 where it is in memory already. */
  readonly roomBytes: number;
  /** Its bytes, in `room`, or where they are, which are decrypted in place; undefined where they can not be read. */
  read(room: Uint8Array): Uint8Array | undefined;
}

interface InHand {
  readonly object: LaneObject;
  /** What its sealed bytes are in, or were. */
  readonly room: MemoryPiece;
  /** Decrypted; undefined until then, or where something is wrong. */
  payload?: Uint8Array | undefined;
  plaintext?: Uint8Array | undefined;
  /** What that is in, unless it is in the room, or in memory of its own. */
  plainRoom?: MemoryPiece;
  isSound: boolean;
  isDone: boolean;
}

/** So much room is kept for each byte of the largest that is yet to be decompressed, */
const EXPANSION = 2;
/** but not more than the largest chunk takes that is cut by default. */
const MAX_RESERVE_BYTES = 2 ** 23;

export class ObjectLanes {
  readonly #material: KeyMaterial;
  readonly #macHash: LaneHash;
  readonly #idHash: LaneHash;
  readonly #lanes = new HashLanes();
  readonly #memory: FifoMemory;
  /** Whether the last object was compressed, as the next one may be. */
  #isCompressed = false;

  /** `memoryBytes`: for what is in hand, sealed and not, of all but very large objects. */
  constructor(material: KeyMaterial, memoryBytes: number) {
    this.#material = material;
    this.#memory = new FifoMemory(memoryBytes);
    this.#macHash = macLaneHash(material);
    this.#idHash = idLaneHash(material);
  }

  /**
   * The plaintexts of those that `next` gives, which is asked again as long as any is in hand. Undefined where anything is
   * wrong: whoever reads the object again finds out, and says, what. A plaintext is good until the next one is asked for.
   * One opening at a time.
   */
  *open(next: () => LaneObject | undefined): Generator<Uint8Array | undefined, void, undefined> {
    const inHand: InHand[] = [];
    let waiting: LaneObject | undefined;
    try {
      for (;;) {
        while (this.#lanes.hasRoom && this.#beginId(inHand)) {}
        if (this.#lanes.hasRoom) {
          waiting ??= next();
          const room = waiting && this.#roomFor(waiting, inHand);
          if (waiting !== undefined && room !== undefined) {
            inHand.push(this.#beginMac(waiting, room));
            waiting = undefined;
            continue;
          }
        }
        const [first] = inHand;
        if (first === undefined) return;
        if (!first.isDone) {
          this.#lanes.finishOne();
          continue;
        }
        yield first.isSound ? first.plaintext : undefined;
        inHand.shift();
        this.#letGo(first);
      }
    } finally {
      this.#lanes.clear();
      for (const each of inHand) this.#letGo(each);
    }
  }

  /** Undefined where it has to wait. The first never does: it may get memory of its own. */
  #roomFor({ roomBytes }: LaneObject, inHand: readonly InHand[]): MemoryPiece | undefined {
    if (roomBytes === 0) return NO_ROOM;
    const reserveBytes = inHand.length === 0 ? 0 : this.#reserveBytes(roomBytes, inHand);
    const room = this.#memory.room(roomBytes + reserveBytes);
    if (room.length >= roomBytes + reserveBytes) return this.#memory.takeOf(room, roomBytes);
    return inHand.length === 0 ? new MemoryPiece(new Uint8Array(roomBytes), 0) : undefined;
  }

  /** What is to be left for plaintexts: they would take fresh memory, which costs more. */
  #reserveBytes(nextBytes: number, inHand: readonly InHand[]): number {
    if (!this.#isCompressed) return 0;
    const sealedBytes = inHand.filter(isWithoutId).map(({ room }) => room.bytes.length);
    return Math.min(EXPANSION * Math.max(nextBytes, ...sealedBytes), MAX_RESERVE_BYTES);
  }

  #beginMac(object: LaneObject, room: MemoryPiece): InHand {
    const inHand: InHand = { object, room, isSound: false, isDone: false };
    const sealed = object.read(room.bytes);
    const message = sealed && macMessage(this.#material, sealed);
    if (sealed === undefined || message === undefined) inHand.isDone = true;
    else if (isAuthenticated(this.#material)) {
      this.#lanes.begin(this.#macHash, message, (mac) => this.#decrypt(inHand, sealed, mac));
    } else this.#decrypt(inHand, sealed, undefined);
    return inHand;
  }

  #decrypt(inHand: InHand, sealed: Uint8Array, mac: Uint8Array | undefined): void {
    inHand.payload = openInPlace(this.#material, sealed, mac);
    inHand.isDone = inHand.payload === undefined;
  }

  /**
   * False where there is nothing to begin yet, or too little room to decompress it. They take their turns: none waits for
   * room that others have who wait for it.
   */
  #beginId(allInHand: readonly InHand[]): boolean {
    const inHand = allInHand.find(isWithoutId);
    if (inHand?.payload === undefined) return false;
    const { payload, object } = inHand;
    const room = this.#memory.room(Infinity);
    const wantedBytes = isStored(payload) || inHand === allInHand[0] ? 0 : EXPANSION * payload.length;
    if (room.length < wantedBytes) return false;
    inHand.payload = undefined;
    const plaintext = decompressed(payload, room);
    inHand.isDone = plaintext === undefined;
    if (plaintext === undefined) return true;
    inHand.plaintext = plaintext;
    this.#isCompressed = isWithin(plaintext, room);
    if (this.#isCompressed) {
      inHand.plainRoom = this.#memory.takeOf(room, plaintext.length);
      this.#memory.release(inHand.room);
    }
    this.#lanes.begin(this.#idHash, plaintext, (id) => {
      inHand.isSound = constantTimeEqual(id, object.id);
      inHand.isDone = true;
    });
    return true;
  }

  #letGo({ room, plaintext, plainRoom }: InHand): void {
    if (plaintext !== undefined && plainRoom === undefined) releaseBuffer(plaintext);
    this.#memory.release(room);
    if (plainRoom !== undefined) this.#memory.release(plainRoom);
  }
}

const NO_ROOM = new MemoryPiece(new Uint8Array(0), 0);

function isWithoutId({ isDone, plaintext }: InHand): boolean {
  return !isDone && plaintext === undefined;
}

function isWithin(bytes: Uint8Array, room: Uint8Array): boolean {
  return bytes.buffer === room.buffer && bytes.byteOffset === room.byteOffset;
}

function decompressed(payload: Uint8Array, room: Uint8Array): Uint8Array | undefined {
  try {
    return decompressInto(payload, room);
  } catch {
    return undefined;
  }
}
