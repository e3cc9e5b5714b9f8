/** Numbers as text the way Python writes them: ties round to even, and other exponents than JavaScript's. */

/** `'%.{digits}f' % value`. */
export function formatFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const magnitude = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (magnitude >= 1e21) return sign + fractionless(BigInt(magnitude), digits);
  const rounded = magnitude.toFixed(digits);
  // toFixed rounds exact ties up. A tie has no digits behind a 5 one place further.
  const exact = magnitude.toFixed(Math.min(100, digits + 60));
  const tie = /^50*$/.test(exact.slice(exact.indexOf('.') + 1 + digits));
  if (!tie || !/[13579]$/.test(rounded)) return sign + rounded;
  return (
    sign +
    (digits === 0 ? exact.slice(0, exact.indexOf('.')) : exact.slice(0, exact.indexOf('.') + 1 + digits))
  );
}

function fractionless(value: bigint, digits: number): string {
  return digits === 0 ? value.toString() : `${value}.${'0'.repeat(digits)}`;
}

/** `round(value, digits)`. */
export function roundHalfEven(value: number, digits: number): number {
  return Number(formatFixed(value, digits));
}

/** `repr(value)` of a float: always with a point or an exponent. */
export function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  if (value === 0) return '0.0';
  const [, sign, first, rest = '', exponentText] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(
    value.toExponential(),
  )!;
  const exponent = Number(exponentText);
  const digits = first! + rest;
  if (exponent < -4 || exponent >= 16) {
    const shown = Math.abs(exponent).toString().padStart(2, '0');
    return `${sign}${first}${rest === '' ? '' : `.${rest}`}e${exponent < 0 ? '-' : '+'}${shown}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

/** `'%.{digits}e' % value`. */
export function formatExponential(value: number, digits: number): string {
  if (!Number.isFinite(value)) return formatFixed(value, 0);
  return value.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** `'%.{digits}g' % value`; `alternate` keeps trailing zeros. */
export function formatGeneral(value: number, digits: number, alternate = false): string {
  if (!Number.isFinite(value)) return formatFixed(value, 0);
  const precision = Math.max(1, digits);
  const exponent = Number(/e([+-]\d+)$/.exec(value.toExponential(precision - 1))![1]);
  const text =
    exponent < -4 || exponent >= precision
      ? formatExponential(value, precision - 1)
      : formatFixed(value, precision - 1 - exponent);
  return alternate ? text : text.replace(/(\.\d*?)0+(?=e|$)/, '$1').replace(/\.(?=e|$)/, '');
}
