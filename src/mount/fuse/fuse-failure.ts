/** A request that fails with this errno, by its symbolic name. */
export class FuseFailure extends Error {
  override readonly name = 'FuseFailure';
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
